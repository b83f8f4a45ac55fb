//! Which crate may know which: control decides, log stores, wire speaks, broker connects.

use ottla_tests::workspace::cargo;
use serde_json::Value;

/// Crates whose code takes time and randomness as arguments and knows no runtime.
pub(crate) const PURE_CRATES: [&str; 3] = ["ottla-model", "ottla-control", "ottla-log"];

/// Crates that bring an asynchronous runtime or the readiness interface of one.
const RUNTIMES: [&str; 5] = ["tokio", "mio", "async-std", "smol", "futures-executor"];

/// What a crate of the workspace may depend on outside of its tests.
struct Layer {
    name: &'static str,
    /// Crates of the workspace that it may depend on.
    may_know: &'static [&'static str],
    /// The only other crates that it may depend on; `None` when that is not limited.
    others: Option<&'static [&'static str]>,
}

const LAYERS: [Layer; 7] = [
    Layer { name: "ottla-model", may_know: &[], others: Some(&[]) },
    Layer {
        name: "ottla-control",
        may_know: &["ottla-model"],
        others: Some(&["bytes", "crc32c", "regex-automata", "regex-syntax", "thiserror", "twox-hash"]),
    },
    Layer { name: "ottla-log", may_know: &["ottla-model"], others: None },
    Layer { name: "ottla-wire", may_know: &["ottla-model"], others: None },
    Layer {
        name: "ottla-broker",
        may_know: &["ottla-model", "ottla-control", "ottla-log", "ottla-wire"],
        others: None,
    },
    // `ottla produce` and `ottla consume` build and read batches, as the log does.
    Layer {
        name: "ottla",
        may_know: &["ottla-model", "ottla-broker", "ottla-wire", "ottla-log"],
        others: None,
    },
    // Brokers are measured from outside; the map of a file serves the floor, whose code may not be unsafe either.
    Layer { name: "ottla-bench", may_know: &["ottla-log", "ottla-tests"], others: None },
];

/// The normal and build dependencies in `cargo metadata` that the layers do not allow.
pub(crate) fn wrong_dependencies(metadata: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for layer in &LAYERS {
        let packages = metadata["packages"].as_array().unwrap();
        let Some(package) = packages.iter().find(|package| package["name"] == layer.name) else {
            faults.push(format!("the crate {} of the layers does not exist: correct LAYERS", layer.name));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let name = dependency["name"].as_str().unwrap();
            if dependency["kind"] != "dev" && !layer.allows(name) {
                let crate_name = layer.name;
                faults.push(format!(
                    "{crate_name} depends on {name}, which its layer does not allow: move the code"
                ));
            }
        }
    }
    faults
}

impl Layer {
    fn allows(&self, dependency: &str) -> bool {
        if dependency.starts_with("ottla") {
            return self.may_know.contains(&dependency);
        }
        self.others.is_none_or(|others| others.contains(&dependency))
    }
}

/// All that a crate is built with, a line a crate.
pub(crate) fn dependency_tree(crate_name: &str) -> String {
    let arguments = ["tree", "--package", crate_name, "--edges", "normal,build", "--prefix", "none"];
    let output = cargo().args(arguments).output().unwrap();
    assert!(output.status.success(), "cargo tree failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn runtimes_in_tree(crate_name: &str, tree: &str) -> Vec<String> {
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    let runtimes = names.filter(|name| RUNTIMES.contains(name));
    runtimes
        .map(|name| format!("{crate_name} is built with {name}: what needs a runtime belongs into broker"))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(log_dependency: &str, kind: Option<&str>) -> Value {
        let package = |layer: &Layer| match layer.name {
            "ottla-log" => {
                json!({"name": layer.name, "dependencies": [{"name": log_dependency, "kind": kind}]})
            }
            name => json!({"name": name, "dependencies": []}),
        };
        json!({"packages": LAYERS.iter().map(package).collect::<Vec<_>>()})
    }

    #[test]
    fn a_dependency_upwards_or_sideways_is_found() {
        assert!(wrong_dependencies(&metadata("ottla-model", None)).is_empty());
        assert!(wrong_dependencies(&metadata("ottla-control", Some("dev"))).is_empty());
        assert_eq!(wrong_dependencies(&metadata("ottla-control", None)).len(), 1);
        assert_eq!(wrong_dependencies(&metadata("ottla-broker", None)).len(), 1);
        assert_eq!(wrong_dependencies(&json!({"packages": []})).len(), LAYERS.len());
    }

    #[test]
    fn a_crate_with_a_closed_list_may_use_nothing_else() {
        let control = &LAYERS[1];
        assert!(control.allows("bytes") && control.allows("ottla-model"));
        assert!(!control.allows("tokio") && !control.allows("ottla-wire"));
    }

    #[test]
    fn a_runtime_in_the_tree_is_found() {
        assert!(runtimes_in_tree("a", "a v0.1.0\nbytes v1.0.0\n").is_empty());
        assert_eq!(runtimes_in_tree("a", "a v0.1.0\ntokio v1.54.0 (*)\n").len(), 1);
    }
}
