//! How long files and functions may be.

use crate::files::SourceFile;

const FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;

/// Functions that may be longer, as `path: name`, each with its reason.
const LONG_FUNCTIONS_ALLOWED: [(&str, &str); 0] = [];

pub(crate) fn long_file(file: &SourceFile) -> Vec<String> {
    let lines = if file.is_rust() { file.lines_before_tests().count() } else { 0 };
    if lines <= FILE_LINES_MAX {
        return Vec::new();
    }
    let path = &file.path;
    vec![format!(
        "{path} has {lines} lines before its tests, at most {FILE_LINES_MAX} are allowed: split it by idea"
    )]
}

pub(crate) fn long_functions(file: &SourceFile) -> Vec<String> {
    let path = &file.path;
    let functions = if file.is_rust() { functions(&file.text) } else { Vec::new() };
    let too_long = |function: &&Function| {
        let name = format!("{path}: {}", function.name);
        function.lines > FUNCTION_LINES_MAX
            && !LONG_FUNCTIONS_ALLOWED.iter().any(|(allowed, _)| *allowed == name)
    };
    let sentence = |Function { name, first_line, lines }: &Function| {
        format!(
            "{path}:{first_line}: {name} has {lines} lines, at most {FUNCTION_LINES_MAX} are allowed: \
             split it, or list it with the reason in LONG_FUNCTIONS_ALLOWED"
        )
    };
    functions.iter().filter(too_long).map(sentence).collect()
}

struct Function {
    name: String,
    first_line: usize,
    lines: usize,
}

/// The functions with a body in code that rustfmt has formatted: such a function ends at the first `}` that stands
/// alone at the indentation of its `fn`.
fn functions(text: &str) -> Vec<Function> {
    let lines: Vec<&str> = text.lines().collect();
    let mut functions = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indentation = line.len() - line.trim_start().len();
        let end = format!("{:indentation$}}}", "");
        let mut from_here = lines.iter().skip(index);
        let signature_end = from_here.clone().find(|line| line.ends_with(['{', ';', '}']));
        if signature_end.is_none_or(|line| !line.ends_with('{')) {
            continue;
        }
        let length = from_here.position(|line| *line == end);
        let length =
            length.unwrap_or_else(|| panic!("the function {name} has no end; is the file formatted?"));
        functions.push(Function { name: name.to_owned(), first_line: index + 1, lines: length + 1 });
    }
    functions
}

/// The name of the function whose signature begins on this line.
fn function_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    loop {
        if let Some(signature) = rest.strip_prefix("fn ") {
            return signature.split(['(', '<']).next();
        }
        let (word, tail) = rest.split_once(' ')?;
        let qualifies = matches!(word, "pub" | "const" | "async" | "unsafe" | "extern" | "\"C\"");
        rest = (qualifies || word.starts_with("pub(")).then_some(tail)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::made_up;

    fn function_of(lines: usize) -> String {
        let body = "        work();\n".repeat(lines - 4);
        format!(
            "impl X {{\n    pub(crate) async fn long<T>(\n        &self,\n    ) -> u8 {{\n{body}    }}\n}}\n"
        )
    }

    #[test]
    fn a_function_is_counted_from_its_signature_to_its_end() {
        let lengths = |text: &str| functions(text).iter().map(|function| function.lines).collect::<Vec<_>>();
        assert_eq!(lengths(&function_of(10)), [10]);
        assert_eq!(lengths("fn one() {}\nfn two();\nfn three() -> u8 {\n    3\n}\n"), [3]);
        assert_eq!(lengths("// fn not_one() {\nlet name = \"fn not_this\";\n"), [0; 0]);
    }

    #[test]
    fn a_long_function_is_found() {
        assert!(long_functions(&made_up("a.rs", &function_of(70))).is_empty());
        let faults = long_functions(&made_up("a.rs", &function_of(71)));
        assert!(faults[0].starts_with("a.rs:2: long has 71 lines"), "{faults:?}");
    }

    #[test]
    fn a_long_file_is_found_and_its_unit_tests_do_not_count() {
        let (code, tests) = ("x();\n".repeat(800), "#[cfg(test)]\nmod tests {}\n");
        assert!(long_file(&made_up("a.rs", &format!("{code}{tests}"))).is_empty());
        assert!(long_file(&made_up("a.md", &"x\n".repeat(801))).is_empty());
        assert_eq!(long_file(&made_up("a.rs", &"x();\n".repeat(801))).len(), 1);
    }
}
