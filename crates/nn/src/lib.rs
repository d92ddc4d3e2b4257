//! CNN models, automatic differentiation and optimisers on gpu-core
