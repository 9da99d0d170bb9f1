use super::*;

/// One line per node: place, text between the marks, kind.
fn outline(text: &str) -> String {
    let (root, problems) = parse(text);
    let mut out = String::new();
    if let Some(root) = root {
        draw(text, &root, 0, &mut out);
    }
    for problem in problems {
        let span = problem.span.expect("all problems of a tree have a place");
        out += &format!("{}:{} {} {}\n", span.line, span.column, problem.code, problem.message);
    }
    out
}

fn draw(text: &str, node: &Node, depth: usize, out: &mut String) {
    let Span { line, column, start, end } = node.span;
    let indent = "  ".repeat(depth);
    match &node.content {
        Content::Scalar(scalar) => {
            let shown = format!("{:?} <{}>", scalar.resolve(), &text[start..end]);
            *out += &format!(
                "{indent}{line}:{column} {shown}{}\n",
                if scalar.verbatim.is_some() { "" } else { " *" }
            );
        }
        Content::Sequence(items) => {
            *out += &format!("{indent}{line}:{column} sequence\n");
            items.iter().for_each(|item| draw(text, item, depth + 1, out));
        }
        Content::Mapping(entries) => {
            *out += &format!("{indent}{line}:{column} mapping\n");
            for entry in entries {
                *out += &format!(
                    "{indent}{}:{} {} =\n",
                    entry.key_span.line, entry.key_span.column, entry.key
                );
                draw(text, &entry.value, depth + 1, out);
            }
        }
    }
}

#[test]
fn values_know_their_place() {
    let text = "name: Crédit  # note\nfile: { null: \"\", quote: '\"' }\nlist:\n  - a b\n  - 12\n  - -1.5e3\nrule: |\n  a\n  b\nlong: one\n  two\nempty:\n";
    insta::assert_snapshot!(outline(text), @r#"
    1:1 mapping
    1:1 name =
      1:7 Text("Crédit") <Crédit>
    2:1 file =
      2:7 mapping
      2:9 null =
        2:15 Text("") <"">
      2:19 quote =
        2:26 Text("\"") <'"'>
    3:1 list =
      4:3 sequence
        4:5 Text("a b") <a b>
        5:5 Integer(12) <12>
        6:5 Float(-1500.0) <-1.5e3>
    7:1 rule =
      8:3 Text("a\nb\n") <a
      b> *
    10:1 long =
      10:7 Text("one two") <one
      two> *
    12:1 empty =
      12:6 Null <>
    "#);
}
