//! `+ - * /` and unary `-`, by reference or by value, said once for tensors and for the variables of the crate above.

/// The operators of a type with the methods `add`, `sub`, `mul`, `div`, `neg`, `add_scalar`, `scale` and `reciprocal`:
/// `1.0 - 2.0 * (&x * &x).sum()`. A number becomes a parameter of its kernel: no tensor is made for it.
#[doc(hidden)]
#[macro_export]
macro_rules! arithmetic {
    ($of:ident) => {
        $crate::arithmetic!($of: Add add, Sub sub, Mul mul, Div div);
        $crate::arithmetic!($of with numbers: $of);
        $crate::arithmetic!($of with numbers: &$of);
    };
    ($of:ident: $($operator:ident $method:ident),*) => {$(
        $crate::arithmetic!($of, $operator $method: &$of, &$of);
        $crate::arithmetic!($of, $operator $method: &$of, $of);
        $crate::arithmetic!($of, $operator $method: $of, &$of);
        $crate::arithmetic!($of, $operator $method: $of, $of);
    )*};
    ($of:ident, $operator:ident $method:ident: $a:ty, $b:ty) => {
        #[doc = concat!("Broadcasts; see [`", stringify!($of), "::", stringify!($method), "`].")]
        impl std::ops::$operator<$b> for $a {
            type Output = $of;
            #[track_caller]
            fn $method(self, b: $b) -> $of {
                #[allow(clippy::needless_borrow)]
                $of::$method(&self, &b)
            }
        }
    };
    ($of:ident with numbers: $x:ty) => {
        $crate::arithmetic!($of, Add add, $x, f32: |x, number| x.add_scalar(number));
        $crate::arithmetic!($of, Add add, f32, $x: |number, x| x.add_scalar(number));
        $crate::arithmetic!($of, Sub sub, $x, f32: |x, number| x.add_scalar(-number));
        $crate::arithmetic!($of, Sub sub, f32, $x: |number, x| $of::neg(&x).add_scalar(number));
        $crate::arithmetic!($of, Mul mul, $x, f32: |x, number| x.scale(number));
        $crate::arithmetic!($of, Mul mul, f32, $x: |number, x| x.scale(number));
        $crate::arithmetic!($of, Div div, $x, f32: |x, number| x.scale(1.0 / number));
        $crate::arithmetic!($of, Div div, f32, $x: |number, x| x.reciprocal().scale(number));

        #[doc = concat!("See [`", stringify!($of), "::neg`].")]
        impl std::ops::Neg for $x {
            type Output = $of;
            #[track_caller]
            fn neg(self) -> $of {
                $of::neg(&self)
            }
        }
    };
    ($of:ident, $operator:ident $method:ident, $left:ty, $right:ty: |$a:ident, $b:ident| $y:expr) => {
        #[doc = concat!("See [`", stringify!($of), "::add_scalar`], [`", stringify!($of), "::scale`] and their like.")]
        impl std::ops::$operator<$right> for $left {
            type Output = $of;
            #[track_caller]
            fn $method(self, other: $right) -> $of {
                let ($a, $b) = (self, other);
                $y
            }
        }
    };
}
