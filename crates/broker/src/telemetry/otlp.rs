//! Reads the numbers of OpenTelemetry's metrics (OTLP 1.0, `MetricsData`) as clients push them: gauges and sums. The fields
//! that tell nothing of these are passed over.
//!
//! Protocol Buffers by hand: it takes four kinds of fields, and every length is compared with the bytes that are left.

/// One number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    /// The name of the metric.
    pub(super) name: String,
    /// What tells it apart from others of the name, as `KEY=VALUE` parts in their order.
    pub(super) attributes: String,
    /// The number, which is finite, and not below 0 when it is a counter's.
    pub(super) value: f64,
    /// Whether it only rises (a sum that is monotonic).
    pub(super) is_counter: bool,
    /// Whether it is to be added to the one before.
    pub(super) is_delta: bool,
}

/// What was pushed is not OTLP.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotOtlp;

/// Most numbers of one push that are read.
pub(super) const POINTS_MAX: usize = 2000;

/// `AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA`.
const DELTA: u64 = 1;

/// A field's content.
#[derive(Debug, Clone, Copy)]
enum Field<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

impl<'a> Field<'a> {
    fn bytes(self) -> Result<&'a [u8], NotOtlp> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(NotOtlp),
        }
    }

    fn text(self) -> Result<&'a str, NotOtlp> {
        std::str::from_utf8(self.bytes()?).map_err(|_| NotOtlp)
    }
}

fn varint(bytes: &mut &[u8]) -> Result<u64, NotOtlp> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(NotOtlp)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(NotOtlp)
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Result<&'a [u8], NotOtlp> {
    let length = usize::try_from(length).map_err(|_| NotOtlp)?;
    let (taken, rest) = bytes.split_at_checked(length).ok_or(NotOtlp)?;
    *bytes = rest;
    Ok(taken)
}

/// Calls `visit` for each field with its number.
fn fields<'a>(
    mut bytes: &'a [u8],
    mut visit: impl FnMut(u64, Field<'a>) -> Result<(), NotOtlp>,
) -> Result<(), NotOtlp> {
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let field = match tag & 7 {
            0 => Field::Varint(varint(&mut bytes)?),
            1 => {
                let fixed = take(&mut bytes, 8)?.first_chunk().ok_or(NotOtlp)?;
                Field::Fixed64(u64::from_le_bytes(*fixed))
            }
            2 => {
                let length = varint(&mut bytes)?;
                Field::Bytes(take(&mut bytes, length)?)
            }
            5 => {
                take(&mut bytes, 4)?;
                Field::Fixed32
            }
            _ => return Err(NotOtlp),
        };
        visit(tag >> 3, field)?;
    }
    Ok(())
}

/// The numbers in a `MetricsData`, at most `points_max` of them, and how many more there were. What is no number, as the average
/// of nothing, is passed over.
pub(super) fn read(bytes: &[u8], points_max: usize) -> Result<(Vec<Point>, u64), NotOtlp> {
    let mut points = Vec::new();
    let mut more = 0_u64;
    // resource_metrics, scope_metrics, metrics
    each(bytes, 1, &mut |resource| {
        each(resource, 2, &mut |scope| {
            each(scope, 2, &mut |bytes| {
                let read = metric(bytes)?;
                let room = points_max.saturating_sub(points.len());
                more = more.saturating_add(read.len().saturating_sub(room) as u64);
                points.extend(read.into_iter().take(room));
                Ok(())
            })
        })
    })?;
    Ok((points, more))
}

/// Calls `visit` for each message in the field with that number.
fn each(
    bytes: &[u8],
    wanted: u64,
    visit: &mut dyn FnMut(&[u8]) -> Result<(), NotOtlp>,
) -> Result<(), NotOtlp> {
    fields(bytes, |number, field| if number == wanted { visit(field.bytes()?) } else { Ok(()) })
}

/// The fields of a metric that hold its kind and points.
const GAUGE: u64 = 5;
const SUM: u64 = 7;

fn metric(bytes: &[u8]) -> Result<Vec<Point>, NotOtlp> {
    let mut name = "";
    let mut points = Vec::new();
    let (mut is_delta, mut is_counter) = (false, false);
    fields(bytes, |number, field| {
        match number {
            1 => name = field.text()?,
            // Both begin with their points.
            GAUGE | SUM => fields(field.bytes()?, |inner, field| {
                match (inner, field) {
                    (1, Field::Bytes(point)) => points.extend(data_point(point)?),
                    (2, Field::Varint(temporality)) if number == SUM => is_delta = temporality == DELTA,
                    (3, Field::Varint(truth)) if number == SUM => is_counter = truth != 0,
                    _ => {}
                }
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    })?;
    let numbers = points.into_iter().filter(|(_, value)| value.is_finite() && !(is_counter && *value < 0.0));
    let named = numbers.map(|(attributes, value)| Point {
        name: name.to_owned(),
        attributes,
        value,
        is_counter,
        is_delta,
    });
    Ok(named.collect())
}

/// A `NumberDataPoint`; nothing without a value.
fn data_point(bytes: &[u8]) -> Result<Option<(String, f64)>, NotOtlp> {
    let mut attributes: Vec<String> = Vec::new();
    let mut value = None;
    fields(bytes, |number, field| {
        match (number, field) {
            (4, Field::Fixed64(bits)) => value = Some(f64::from_bits(bits)),
            (6, Field::Fixed64(bits)) => value = Some(bits.cast_signed() as f64),
            (7, Field::Bytes(attribute)) => attributes.push(key_value(attribute)?),
            _ => {}
        }
        Ok(())
    })?;
    attributes.sort_unstable();
    Ok(value.map(|value| (attributes.join(","), value)))
}

fn key_value(bytes: &[u8]) -> Result<String, NotOtlp> {
    let (mut key, mut value) = ("", String::new());
    fields(bytes, |number, field| {
        match number {
            1 => key = field.text()?,
            2 => fields(field.bytes()?, |number, field| {
                match (number, field) {
                    (1, field) => value = field.text()?.to_owned(),
                    (2, Field::Varint(truth)) => value = (truth != 0).to_string(),
                    (3, Field::Varint(whole)) => value = whole.cast_signed().to_string(),
                    (4, Field::Fixed64(bits)) => value = f64::from_bits(bits).to_string(),
                    _ => {}
                }
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(format!("{key}={value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put_varint(mut value: u64, into: &mut Vec<u8>) {
        while value >= 0x80 {
            into.push(value as u8 | 0x80);
            value >>= 7;
        }
        into.push(value as u8);
    }

    fn nested(number: u64, content: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_varint(number << 3 | 2, &mut bytes);
        put_varint(content.len() as u64, &mut bytes);
        bytes.extend_from_slice(content);
        bytes
    }

    fn fixed(number: u64, bits: u64) -> Vec<u8> {
        let mut bytes = vec![(number << 3 | 1) as u8];
        bytes.extend_from_slice(&bits.to_le_bytes());
        bytes
    }

    fn wrapped(metric: &[u8]) -> Vec<u8> {
        nested(1, &nested(2, &nested(2, metric)))
    }

    fn gauge(name: &str, value: f64) -> Vec<u8> {
        let attribute = [nested(1, b"topic"), nested(2, &nested(1, b"orders"))].concat();
        let point = [fixed(3, 99), nested(7, &attribute), fixed(4, value.to_bits())].concat();
        wrapped(&[nested(1, name.as_bytes()), nested(5, &nested(1, &point))].concat())
    }

    fn sum(name: &str, value: i64) -> Vec<u8> {
        let point = fixed(6, value.cast_unsigned());
        let sum = [nested(1, &point), vec![2 << 3, 1], vec![3 << 3, 1]].concat();
        wrapped(&[nested(1, name.as_bytes()), nested(2, b"told"), nested(7, &sum)].concat())
    }

    #[test]
    fn gauges_and_sums_are_read() {
        let bytes = [gauge("a.ratio", 0.5), sum("a.total", 3)].concat();
        let (points, more) = read(&bytes, 10).expect("OTLP");
        let point = |name: &str, attributes: &str, value, is_counter| Point {
            name: name.to_owned(),
            attributes: attributes.to_owned(),
            value,
            is_counter,
            is_delta: is_counter,
        };
        let expected = [point("a.ratio", "topic=orders", 0.5, false), point("a.total", "", 3.0, true)];
        assert_eq!((points.as_slice(), more), (&expected[..], 0));
        let (points, more) = read(&bytes, 1).expect("OTLP");
        assert_eq!((points.len(), more), (1, 1));
        assert_eq!(read(&[], 1), Ok((Vec::new(), 0)));
    }

    #[test]
    fn what_is_no_number_or_falls_where_it_cannot_is_passed_over() {
        let bytes = [gauge("a.avg", f64::NAN), gauge("a.max", f64::INFINITY), sum("a.total", -3)].concat();
        assert_eq!(read(&bytes, 10), Ok((Vec::new(), 0)));
    }

    #[test]
    fn nonsense_is_refused_wherever_it_is_cut_or_changed() {
        let bytes = [gauge("a.ratio", 0.5), sum("a.total", 3)].concat();
        for length in 0..bytes.len() {
            let cut = read(&bytes[..length], 10);
            assert!(cut.is_err() || cut.is_ok_and(|(points, _)| points.len() < 2), "{length}");
        }
        for place in 0..bytes.len() {
            for flip in [1, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[place] ^= flip;
                // It may be read as something else, but never ends the process.
                let _ = read(&changed, 10);
            }
        }
        assert_eq!(read(&[0xff; 20], 10), Err(NotOtlp));
        assert_eq!(read(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], 10), Err(NotOtlp), "a length that lies");
    }
}
