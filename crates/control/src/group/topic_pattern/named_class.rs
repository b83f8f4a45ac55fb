//! Classes of characters that have a name.

use super::ascii::AsciiSet;

const LETTERS: AsciiSet = AsciiSet::CAPITALS.union(AsciiSet::SMALL);
const WORD: AsciiSet = LETTERS.union(AsciiSet::DIGITS).union(AsciiSet::of(b"_"));
const CONTROL: AsciiSet = AsciiSet::between(0, 31).union(AsciiSet::between(127, 127));
const CONNECTORS: AsciiSet = AsciiSet::of(b"_");
const DASHES: AsciiSet = AsciiSet::of(b"-");
const OPENING: AsciiSet = AsciiSet::of(b"([{");
const CLOSING: AsciiSet = AsciiSet::of(b")]}");
const OTHER_PUNCTUATION: AsciiSet = AsciiSet::of(b"!\"#%&'*,./:;?@\\");
const CURRENCY: AsciiSet = AsciiSet::of(b"$");
const MODIFIERS: AsciiSet = AsciiSet::of(b"^`");
const MATHEMATICS: AsciiSet = AsciiSet::of(b"+<=>|~");

/// The class of `\d`, `\S` and the like.
pub(super) fn perl_class(letter: char) -> Option<AsciiSet> {
    Some(match letter {
        'd' => AsciiSet::DIGITS,
        'D' => AsciiSet::DIGITS.negated(),
        's' => AsciiSet::of(b"\t\n\x0c\r "),
        'S' => AsciiSet::of(b"\t\n\x0c\r ").negated(),
        'w' => WORD,
        'W' => WORD.negated(),
        _ => return None,
    })
}

/// The class of `[:alpha:]` and the like.
pub(super) fn posix_class(name: &str) -> Option<AsciiSet> {
    Some(match name {
        "alnum" => LETTERS.union(AsciiSet::DIGITS),
        "alpha" => LETTERS,
        "ascii" => AsciiSet::ALL,
        "blank" => AsciiSet::of(b"\t "),
        "cntrl" => CONTROL,
        "digit" => AsciiSet::DIGITS,
        "graph" => AsciiSet::between(b'!', b'~'),
        "lower" => AsciiSet::SMALL,
        "print" => AsciiSet::between(b' ', b'~'),
        "punct" => AsciiSet::between(b'!', b'~').without(LETTERS).without(AsciiSet::DIGITS),
        "space" => AsciiSet::of(b"\t\n\x0b\x0c\r "),
        "upper" => AsciiSet::CAPITALS,
        "word" => WORD,
        "xdigit" => AsciiSet::DIGITS.union(AsciiSet::of(b"ABCDEFabcdef")),
        _ => return None,
    })
}

/// What is in ASCII of a category or script of Unicode; `None` when RE2/J 1.8 knows none of that name.
pub(super) fn unicode_class(name: &str, fold_case: bool) -> Option<AsciiSet> {
    Some(match name {
        "Any" => AsciiSet::ALL,
        "C" | "Cc" => CONTROL,
        "L" | "Latin" => LETTERS,
        // RE2/J's tables add no other capital letters here.
        "Ll" if fold_case => AsciiSet::SMALL.union(AsciiSet::of(b"KS")),
        "Ll" => AsciiSet::SMALL,
        "Lu" if fold_case => LETTERS,
        "Lu" => AsciiSet::CAPITALS,
        "N" | "Nd" => AsciiSet::DIGITS,
        "P" => CONNECTORS.union(DASHES).union(OPENING).union(CLOSING).union(OTHER_PUNCTUATION),
        "Pc" => CONNECTORS,
        "Pd" => DASHES,
        "Pe" => CLOSING,
        "Po" => OTHER_PUNCTUATION,
        "Ps" => OPENING,
        "S" => CURRENCY.union(MODIFIERS).union(MATHEMATICS),
        "Sc" => CURRENCY,
        "Sk" => MODIFIERS,
        "Sm" => MATHEMATICS,
        "Z" | "Zs" => AsciiSet::of(b" "),
        "Common" => LETTERS.negated(),
        _ if EMPTY_CATEGORIES.contains(&name) || EMPTY_SCRIPTS.contains(&name) => AsciiSet::EMPTY,
        _ => return None,
    })
}

/// Categories without an ASCII character.
const EMPTY_CATEGORIES: [&str; 17] =
    ["Cf", "Co", "Cs", "Lm", "Lo", "Lt", "M", "Mc", "Me", "Mn", "Nl", "No", "Pf", "Pi", "So", "Zl", "Zp"];

/// Scripts without an ASCII character.
const EMPTY_SCRIPTS: [&str; 94] = [
    "Arabic",
    "Armenian",
    "Avestan",
    "Balinese",
    "Bamum",
    "Batak",
    "Bengali",
    "Bopomofo",
    "Brahmi",
    "Braille",
    "Buginese",
    "Buhid",
    "Canadian_Aboriginal",
    "Carian",
    "Cham",
    "Cherokee",
    "Coptic",
    "Cuneiform",
    "Cypriot",
    "Cyrillic",
    "Deseret",
    "Devanagari",
    "Egyptian_Hieroglyphs",
    "Ethiopic",
    "Georgian",
    "Glagolitic",
    "Gothic",
    "Greek",
    "Gujarati",
    "Gurmukhi",
    "Han",
    "Hangul",
    "Hanunoo",
    "Hebrew",
    "Hiragana",
    "Imperial_Aramaic",
    "Inherited",
    "Inscriptional_Pahlavi",
    "Inscriptional_Parthian",
    "Javanese",
    "Kaithi",
    "Kannada",
    "Katakana",
    "Kayah_Li",
    "Kharoshthi",
    "Khmer",
    "Lao",
    "Lepcha",
    "Limbu",
    "Linear_B",
    "Lisu",
    "Lycian",
    "Lydian",
    "Malayalam",
    "Mandaic",
    "Meetei_Mayek",
    "Mongolian",
    "Myanmar",
    "New_Tai_Lue",
    "Nko",
    "Ogham",
    "Ol_Chiki",
    "Old_Italic",
    "Old_Persian",
    "Old_South_Arabian",
    "Old_Turkic",
    "Oriya",
    "Osmanya",
    "Phags_Pa",
    "Phoenician",
    "Rejang",
    "Runic",
    "Samaritan",
    "Saurashtra",
    "Shavian",
    "Sinhala",
    "Sundanese",
    "Syloti_Nagri",
    "Syriac",
    "Tagalog",
    "Tagbanwa",
    "Tai_Le",
    "Tai_Tham",
    "Tai_Viet",
    "Tamil",
    "Telugu",
    "Thaana",
    "Thai",
    "Tibetan",
    "Tifinagh",
    "Ugaritic",
    "Unknown",
    "Vai",
    "Yi",
];
