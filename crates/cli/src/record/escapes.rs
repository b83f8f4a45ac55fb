//! Escapes in arguments: `\n`, `\t`, `\r`, `\0`, `\xNN`, `\\`.

/// The bytes that the text stands for.
///
/// # Errors
/// A sentence, when a backslash begins nothing that is known.
pub(crate) fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        if letter != '\\' {
            let mut buffer = [0; 4];
            bytes.extend_from_slice(letter.encode_utf8(&mut buffer).as_bytes());
            continue;
        }
        bytes.push(match rest.next() {
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('r') => b'\r',
            Some('0') => 0,
            Some('\\') => b'\\',
            Some('x') => hexadecimal(&mut rest).ok_or("\\x needs two hexadecimal digits, such as \\x1f")?,
            Some(other) => return Err(format!("\\{other} is no escape; write \\\\ for a backslash")),
            None => return Err("a backslash stands at the end; write \\\\ for a backslash".to_owned()),
        });
    }
    Ok(bytes)
}

fn hexadecimal(rest: &mut std::str::Chars<'_>) -> Option<u8> {
    let (high, low) = (rest.next()?.to_digit(16)?, rest.next()?.to_digit(16)?);
    u8::try_from(high * 16 + low).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_bytes() {
        assert_eq!(unescape(r"a\n\t\r\0\x1F\\ö"), Ok(b"a\n\t\r\0\x1f\\\xc3\xb6".to_vec()));
        for wrong in [r"\", r"\q", r"\x1", r"\xzz"] {
            assert!(unescape(wrong).is_err(), "{wrong}");
        }
    }
}
