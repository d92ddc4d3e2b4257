//! What a row of settings becomes: a field of `Settings` and of `Config`, a flag, a key in a file.

/// Defines the settings from one row each, under headings of `--help`, which may come again:
///
/// ```text
/// "Heading" {
///     /// Help, in one sentence.
///     name: Type, "VALUE" [, short 'n'] [, alone "text"] [, default fallback | , unset "words"] [, range range] [, resume Rule];
/// }
/// ```
///
/// `"VALUE"` stands for the value in `--help`, `short` is another name of the flag, of one letter, `alone` is what the flag means without one. A row with a `default` has a value in every
/// run; one without is an `Option` in a `Config`, and `unset` tells in `--help` what is done then. The rule of `resume` is
/// `Resume::Fixed` where the row names none.
macro_rules! settings {
    // What a run holds of a setting.
    (@held $type:ty) => { Option<$type> };
    (@held $type:ty, $fallback:expr) => { $type };
    (@fill $given:expr, $basis:expr, $type:ty) => { $given };
    (@fill $given:expr, $basis:expr, $type:ty, $fallback:expr) => {{
        let fallback: Fallback<$type> = $fallback;
        $given.unwrap_or_else(|| fallback.value($basis))
    }};
    // The text in `--help`.
    (@help $about:expr, $type:ty) => { $about.trim() };
    (@help $about:expr, $type:ty, unset $words:literal) => { with_words($about, $words) };
    (@help $about:expr, $type:ty, default $fallback:expr) => {{
        let fallback: Fallback<$type> = $fallback;
        fallback.help($about)
    }};
    (@row $name:ident) => { settings!(@row $name Fixed) };
    (@row $name:ident $resume:ident) => { Row { name: stringify!($name), resume: Resume::$resume } };

    ($($heading:literal { $(
        $(#[doc = $help:literal])+
        $name:ident: $type:ty, $value:literal
        $(, short $short:literal)?
        $(, alone $alone:literal)?
        $(, default $fallback:expr)?
        $(, unset $words:literal)?
        $(, range $range:expr)?
        $(, resume $resume:ident)?;
    )+ })+) => {
        /// The settings that were given, by flags or in a file.
        #[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
        #[cfg_attr(feature = "cli", derive(clap::Args))]
        pub struct Settings {
            $($(
                $(#[doc = $help])+
                #[cfg_attr(feature = "cli", arg(
                    long,
                    $(short = $short,)?
                    help_heading = $heading,
                    hide_short_help = !COMMON.contains(&stringify!($name)),
                    value_name = $value,
                    help = settings!(@help concat!($($help),+), $type $(, default $fallback)? $(, unset $words)?),
                    $(num_args = 0..=1, default_missing_value = $alone,)?
                ))]
                pub $name: Option<$type>,
            )+)+
        }

        /// The settings of a run: those that were given, and defaults for the rest.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Config {
            $($(
                $(#[doc = $help])+
                pub $name: settings!(@held $type $(, $fallback)?),
            )+)+
        }

        pub(super) const ROWS: &[Row] = &[$($(settings!(@row $name $($resume)?)),+),+];

        impl Settings {
            /// These settings, and those of `other` where these say nothing.
            pub fn or(self, other: Self) -> Self {
                Self { $($($name: self.$name.or(other.$name)),+),+ }
            }

            /// The rows of the settings that were given.
            pub(super) fn given(&self) -> impl Iterator<Item = &'static Row> {
                let given = [$($(self.$name.is_some()),+),+];
                given.into_iter().zip(ROWS).filter_map(|(given, row)| given.then_some(row))
            }

            /// The text of a file with those of them that a `config.toml` holds.
            pub(crate) fn to_toml(&self) -> String {
                [$($(settings!(@row $name $($resume)?).line(&self.$name)),+),+].concat()
            }

            /// # Errors
            /// If a value that was given is out of its row's range.
            pub(crate) fn check_ranges(&self) -> Result<()> {
                $($($(if let Some(value) = &self.$name {
                    let range: Range<$type> = $range;
                    range.check(stringify!($name), value)?;
                })?)+)+
                Ok(())
            }

            /// Every setting, with the defaults that `basis` leads to.
            pub(super) fn fill(self, basis: &Basis) -> Config {
                Config { $($($name: settings!(@fill self.$name, basis, $type $(, $fallback)?)),+),+ }
            }
        }

        impl Config {
            /// The text of `config.toml`, which [`Settings::read`] takes.
            pub fn to_toml(&self) -> String {
                [$($(settings!(@row $name $($resume)?).line(&self.$name)),+),+].concat()
            }

            /// The same as an object.
            pub fn to_json(&self) -> serde_json::Value {
                toml::from_str(&self.to_toml()).expect("a config is TOML")
            }
        }
    };
}

pub(super) use settings;
