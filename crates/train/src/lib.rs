//! CIFAR-style training: the wgrad command
