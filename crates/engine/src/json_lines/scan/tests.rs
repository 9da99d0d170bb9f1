use super::*;

/// Asks for everything, and takes it.
struct Anything;

impl Shape for Anything {
    fn member(&mut self, _: Node, _: &str) -> Option<Node> {
        Some(ROOT)
    }

    fn element(&mut self, _: Node) -> Option<Node> {
        Some(ROOT)
    }

    fn found(&mut self, _: Node, _: Value<'_>) -> Result<(), Refusal> {
        Ok(())
    }
}

fn told(line: &str) -> String {
    match scan(line, &mut Anything) {
        Ok(()) => "fine".to_owned(),
        Err(Fault { refusal, at, field }) => format!("{at} [{field}] {}", refusal.message),
    }
}

#[test]
fn what_is_json_is_let_through() {
    let lines = [
        r#"{}"#,
        r#"{ "a" : [ ] , "b" : { } , "" : null }"#,
        r#"{"a":-0,"b":1.5e-3,"c":0.0,"d":1E+2,"e":123456789012345678901234567890}"#,
        r#"{"a":"\"\\\/\b\f\n\r\t\u00e9 é 😀 \ud83d\ude00","b":[true,false,null,[[1]]]}"#,
        r#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}"#,
    ];
    for line in lines {
        assert_eq!(told(line), "fine", "{line}");
    }
}

/// Whatever the line is: the scan refuses what a strict parser refuses, and ends.
#[test]
fn the_scan_agrees_with_a_parser_on_damaged_lines() {
    let line = r#"{"a":[1,-2.5e3,true,null],"b":{"c":"x\ud83d\ude00\n","d":[]},"e":"é"}"#;
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let alphabet = br#"{}[]:,"\u0dtrfalsn19.-+eE x"#;
    for _ in 0..20_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let mut bytes = line.as_bytes().to_vec();
        let at = (state % bytes.len() as u64) as usize;
        match (state >> 32) % 3 {
            0 => bytes[at] = alphabet[(state >> 40) as usize % alphabet.len()],
            1 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
        let Ok(damaged) = String::from_utf8(bytes) else { continue };
        let parsed = serde_json::from_str::<serde_json::Value>(&damaged);
        let is_right = parsed.as_ref().is_ok_and(serde_json::Value::is_object);
        let found = told(&damaged);
        // Only this scan refuses members that stand there twice.
        assert_eq!(found == "fine" || found.contains("twice"), is_right, "{damaged}: {found}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let wide: String = (0..40).map(|n| format!("\"k{n}\":{n},")).collect();
    let lines = [
        r#"[1]"#,
        r#"{"a":1"#,
        r#"{"a":1} {"a":2}"#,
        r#"{"a":1,}"#,
        r#"{"a" 1}"#,
        r#"{a:1}"#,
        r#"{"a":[1 2]}"#,
        r#"{"a":}"#,
        r#"{"a":"#,
        r#"{"a":NaN}"#,
        r#"{"a":007}"#,
        r#"{"a":1.}"#,
        r#"{"a":1e400}"#,
        r#"{"a":"open}"#,
        "{\"a\":\"tab\there\"}",
        r#"{"a":"\x"}"#,
        r#"{"a":"\u12"}"#,
        r#"{"p":{"q":["\ud800"]}}"#,
        r#"{"a":"\ud800\u0041"}"#,
        r#"{"a":"\udc00"}"#,
        r#"{"a":1,"b":2,"\u0061":3}"#,
        r#"{"p":{"x":1,"x":1}}"#,
        &format!("{{{wide}\"k7\":0}}"),
    ];
    let told: Vec<String> = lines.iter().map(|line| format!("{line}\n  {}", told(line))).collect();
    insta::assert_snapshot!(told.join("\n"), @r##"
    [1]
      0 [] the line is not a JSON object
    {"a":1
      6 [] the line ends inside of its object
    {"a":1} {"a":2}
      8 [] something follows the object
    {"a":1,}
      7 [] a name in double quotes is expected here
    {"a" 1}
      5 [a] a colon is expected here
    {a:1}
      1 [] a name in double quotes is expected here
    {"a":[1 2]}
      8 [a] a comma or `]` is expected here
    {"a":}
      5 [a] what stands here is no value of JSON
    {"a":
      5 [a] the line ends inside of its object
    {"a":NaN}
      5 [a] what stands here is no value of JSON
    {"a":007}
      5 [a] a number is not written as JSON has it
    {"a":1.}
      5 [a] a number is not written as JSON has it
    {"a":1e400}
      5 [a] a number is larger than any type holds
    {"a":"open}
      5 [a] the text that begins here is never closed
    {"a":"tab	here"}
      9 [a] a control character stands in a text as it is
    {"a":"\x"}
      6 [a] an escape is none of JSON
    {"a":"\u12"}
      6 [a] an escape is not complete
    {"p":{"q":["\ud800"]}}
      12 [p.q] an escape is half of a surrogate pair, which is no character
    {"a":"\ud800\u0041"}
      6 [a] an escape is half of a surrogate pair, which is no character
    {"a":"\udc00"}
      6 [a] an escape is half of a surrogate pair, which is no character
    {"a":1,"b":2,"\u0061":3}
      13 [] the object has the member `a` twice
    {"p":{"x":1,"x":1}}
      12 [p] the object has the member `x` twice
    {"k0":0,"k1":1,"k2":2,"k3":3,"k4":4,"k5":5,"k6":6,"k7":7,"k8":8,"k9":9,"k10":10,"k11":11,"k12":12,"k13":13,"k14":14,"k15":15,"k16":16,"k17":17,"k18":18,"k19":19,"k20":20,"k21":21,"k22":22,"k23":23,"k24":24,"k25":25,"k26":26,"k27":27,"k28":28,"k29":29,"k30":30,"k31":31,"k32":32,"k33":33,"k34":34,"k35":35,"k36":36,"k37":37,"k38":38,"k39":39,"k7":0}
      341 [] the object has the member `k7` twice
    "##);
}

#[test]
fn nesting_has_a_limit() {
    let deep = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    assert_eq!(told(&deep(DEPTH_MAX)), "fine");
    assert!(told(&deep(DEPTH_MAX + 1)).contains("nested more than 64 deep"));
    assert!(told(&format!("{{\"a\":{}", "[".repeat(100_000))).contains("nested more than 64"));
}

#[test]
fn brackets_in_texts_are_no_nesting() {
    assert_eq!(told(&format!("{{\"a\":\"{}\"}}", "[{".repeat(1_000))), "fine");
}
