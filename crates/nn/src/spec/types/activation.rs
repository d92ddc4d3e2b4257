//! Element by element.

without_fields! {
    Relu => crate::Relu,
}
