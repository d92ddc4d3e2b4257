//! The bar of an epoch where the feature `cli` is off: there is none.

#[derive(Debug)]
pub struct Bar;

impl Bar {
    pub fn hidden() -> Self {
        Self
    }

    pub fn new(_title: String, _done: u64, _steps: u64) -> Self {
        Self
    }

    pub fn is_live(&self) -> bool {
        false
    }

    pub fn advance(&self) {}

    pub fn status(&self, _text: String) {}

    pub fn suspend(&self, f: impl FnOnce()) {
        f();
    }

    pub fn clear(self) {}
}
