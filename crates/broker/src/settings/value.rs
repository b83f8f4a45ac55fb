//! Types of settings: how they are written and what is refused.

use std::fmt;

/// The type of a setting, as `ConfigDef.Type` names it and DescribeConfigs tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `true` or `false`.
    Boolean,
    /// Free text.
    Text,
    /// 16-bit number.
    Short,
    /// 32-bit number.
    Int,
    /// 64-bit number.
    Long,
    /// Floating point number.
    Double,
    /// Texts separated by commas.
    List,
    /// The name of a Java class.
    Class,
    /// A text that is shown to nobody.
    Password,
}

impl Kind {
    /// The number in DescribeConfigs (`DescribeConfigsResponse.ConfigType`).
    pub(crate) const fn code(self) -> i8 {
        match self {
            Self::Boolean => 1,
            Self::Text => 2,
            Self::Int => 3,
            Self::Short => 4,
            Self::Long => 5,
            Self::Double => 6,
            Self::List => 7,
            Self::Class => 8,
            Self::Password => 9,
        }
    }
}

/// Which values of a type a setting takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Check {
    /// Every value of the type.
    Any,
    /// Numbers from the first to the second, both included.
    Range(f64, f64),
    /// Numbers not below this.
    AtLeast(i64),
    /// One of these texts; for lists, each element.
    OneOf(&'static [&'static str]),
    /// Numbers from 1 to 9, or -1.
    GzipLevel,
    /// `latest`, `earliest` or `by_duration:` and a duration (`ShareGroupAutoOffsetResetStrategy`).
    ShareReset,
    /// `*`, nothing, or replicas as `PARTITION:BROKER`.
    ThrottledReplicas,
}

/// Why a value was refused; a sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// No setting has this name.
    #[error("unknown setting '{name}'{}", nearest.as_ref().map_or(String::new(), |n| format!("; did you mean '{n}'?")))]
    Unknown {
        /// The name given.
        name: String,
        /// The known name that is written most like it.
        nearest: Option<String>,
    },
    /// The value does not fit the setting.
    #[error("invalid value '{value}' for setting '{name}': {reason}")]
    Invalid {
        /// The setting.
        name: String,
        /// The value given.
        value: String,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// Not of the form `KEY=VALUE`.
    #[error("'{0}' is not of the form KEY=VALUE")]
    Form(String),
}

/// A type that settings can have.
pub(crate) trait Value: Sized + Clone {
    /// Its name.
    const KIND: Kind;
    /// Reads it as Kafka does, blanks around it removed.
    fn parse(text: &str) -> Result<Self, String>;
    /// Writes it as Kafka prints it; `None` for null.
    fn print(&self) -> Option<String>;
}

macro_rules! numbers {
    ($($type:ty, $kind:ident, $name:literal;)*) => {$(
        impl Value for $type {
            const KIND: Kind = Kind::$kind;
            fn parse(text: &str) -> Result<Self, String> {
                text.trim().parse().map_err(|_| format!("Not a number of type {}", $name))
            }
            fn print(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )*};
}

numbers! {
    i16, Short, "SHORT";
    i32, Int, "INT";
    i64, Long, "LONG";
}

impl Value for f64 {
    const KIND: Kind = Kind::Double;
    fn parse(text: &str) -> Result<Self, String> {
        text.trim().parse().map_err(|_| "Not a number of type DOUBLE".to_owned())
    }
    fn print(&self) -> Option<String> {
        // Kafka prints doubles as Java does, with at least one digit behind the point.
        Some(if self.fract() == 0.0 && self.abs() < 1e7 {
            format!("{self:.1}")
        } else {
            format!("{self:?}").replace('e', "E")
        })
    }
}

impl Value for bool {
    const KIND: Kind = Kind::Boolean;
    fn parse(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("Expected value to be either true or false".to_owned()),
        }
    }
    fn print(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for String {
    const KIND: Kind = Kind::Text;
    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.trim().to_owned())
    }
    fn print(&self) -> Option<String> {
        Some(self.clone())
    }
}

impl Value for Vec<String> {
    const KIND: Kind = Kind::List;
    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect())
    }
    fn print(&self) -> Option<String> {
        Some(self.join(","))
    }
}

impl<T: Value> Value for Option<T> {
    const KIND: Kind = T::KIND;
    fn parse(text: &str) -> Result<Self, String> {
        T::parse(text).map(Some)
    }
    fn print(&self) -> Option<String> {
        self.as_ref().and_then(T::print)
    }
}

impl Check {
    /// Tells what is wrong with the printed value, if anything is.
    pub(crate) fn refuse(self, kind: Kind, printed: &str) -> Option<String> {
        match self {
            Self::Any => None,
            Self::Range(least, most) => {
                let number: f64 = printed.parse().ok()?;
                if number < least {
                    return Some(format!("Value must be at least {least}"));
                }
                (number > most).then(|| format!("Value must be no more than {most}"))
            }
            Self::AtLeast(least) => {
                let number: i64 = printed.parse().ok()?;
                (number < least).then(|| format!("Value must be at least {least}"))
            }
            Self::GzipLevel => {
                let number: i64 = printed.parse().ok()?;
                let good = number == -1 || (1..=9).contains(&number);
                (!good).then(|| "Value must be between 1 and 9 or equal to -1".to_owned())
            }
            Self::ShareReset => {
                let good = matches!(printed, "latest" | "earliest")
                    || printed.strip_prefix("by_duration:P").is_some_and(|duration| !duration.is_empty());
                (!good).then(|| {
                    format!(
                        "Invalid value `{printed}` for configuration share.auto.offset.reset. The value must be \
                         either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'."
                    )

                })
            }
            Self::ThrottledReplicas => {
                let replica = |text: &str| {
                    let parts = text.split_once(':');
                    parts.is_some_and(|(left, right)| {
                        left.parse::<u32>().is_ok() && right.parse::<u32>().is_ok()
                    })
                };
                let good = printed.is_empty() || printed == "*" || printed.split(',').all(replica);
                (!good).then(|| {
                    "must be the literal '*' or a list of replicas in the following format: \
                     [partitionId]:[brokerId],[partitionId]:[brokerId],..."
                        .to_owned()
                })
            }
            Self::OneOf(choices) => {
                let fits = |text: &str| choices.contains(&text);
                let good = match kind {
                    Kind::List => printed.is_empty() || printed.split(',').all(fits),
                    _ => fits(printed),
                };
                (!good).then(|| format!("String must be one of: {}", choices.join(", ")))
            }
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boolean => "boolean",
            Self::Text => "string",
            Self::Short => "short",
            Self::Int => "int",
            Self::Long => "long",
            Self::Double => "double",
            Self::List => "list",
            Self::Class => "class",
            Self::Password => "password",
        })
    }
}

impl fmt::Display for Check {
    /// As Kafka's documentation writes it; nothing for [`Check::Any`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => Ok(()),
            Self::Range(least, most) => write!(f, "[{least},...,{most}]"),
            Self::AtLeast(least) => write!(f, "[{least},...]"),
            Self::OneOf(choices) => write!(f, "[{}]", choices.join(", ")),
            Self::GzipLevel => f.write_str("[1,...,9] or -1"),
            Self::ShareReset => f.write_str("[latest, earliest, by_duration:PnDTnHnMn.nS]"),
            Self::ThrottledReplicas => f.write_str("[partitionId]:[brokerId],[partitionId]:[brokerId],..."),
        }
    }
}

/// Parses `text` as a value of that type, checks it, and writes it as Kafka prints it.
pub(super) fn parse_any(
    name: &str,
    kind: Kind,
    text: &str,
    check: Check,
) -> Result<Option<String>, SettingError> {
    fn print<T: Value>(name: &str, text: &str, check: Check) -> Result<Option<String>, SettingError> {
        parse_checked::<T>(name, text, check).map(|parsed| parsed.print())
    }
    match kind {
        Kind::Boolean => print::<bool>(name, text, check),
        Kind::Short => print::<i16>(name, text, check),
        Kind::Int => print::<i32>(name, text, check),
        Kind::Long => print::<i64>(name, text, check),
        Kind::Double => print::<f64>(name, text, check),
        Kind::List => print::<Vec<String>>(name, text, check),
        Kind::Text | Kind::Class | Kind::Password => print::<String>(name, text, check),
    }
}

/// Parses `text` for the setting `name` and applies its check.
pub(crate) fn parse_checked<T: Value>(name: &str, text: &str, check: Check) -> Result<T, SettingError> {
    let invalid = |value: &str, reason| SettingError::Invalid {
        name: name.to_owned(),
        value: value.to_owned(),
        reason,
    };
    let value = T::parse(text).map_err(|reason| invalid(text, reason))?;
    let printed = value.print().unwrap_or_default();
    let is_choice = T::KIND == Kind::List && matches!(check, Check::OneOf(_));
    if is_choice && !text.is_empty() && text.split(',').any(|part| part.trim().is_empty()) {
        return Err(invalid(text, "values must not be empty".to_owned()));
    }
    match check.refuse(T::KIND, &printed) {
        // Kafka shows the list as Java prints one, and names the setting again.
        Some(reason) if check == Check::ThrottledReplicas => {
            Err(invalid(&format!("[{}]", printed.replace(',', ", ")), format!("{name} {reason}")))
        }
        // Of a list Kafka names the part that does not fit.
        Some(reason) if T::KIND == Kind::List => {
            let part = printed.split(',').find(|part| check.refuse(Kind::Text, part).is_some());
            Err(invalid(part.unwrap_or(&printed), reason))
        }
        Some(reason) if !printed.is_empty() => Err(invalid(&printed, reason)),
        Some(reason) => Err(invalid(text, reason)),
        None => Ok(value),
    }
}
