//! What each problem of profiles from several datasets says.

use super::{FULL, problems, read_text};
use crate::project::{Merge, MergePolicy, Stitch};

/// The full example with a second profile dataset, and another text for its `profiles:`.
fn two(web: &str, profiles: &str) -> String {
    let web = format!("  web:\n    location: web.csv\n{web}\nprofiles:");
    let text = FULL.replace("profiles:", &web);
    text.replace("  merge: timestamp\n  stitch: none\n", profiles)
}

const WEB: &str = "    identities: { ecid: ECID, mail: Email }\n    timestamp: seen";

#[test]
fn a_policy_is_read() {
    let policy = |text: &str| {
        assert_eq!(problems(text), "", "{text}");
        read_text(text).project.expect("there is no error").profiles
    };
    let order = Merge::Datasets(vec!["web".to_owned(), "crm".to_owned()]);
    let cases = [
        ("  merge: timestamp\n  stitch: none\n", Merge::Timestamp, Stitch::None),
        ("  stitch: graph\n", Merge::Timestamp, Stitch::Graph),
        ("  merge: [web, crm]\n", order, Stitch::None),
    ];
    for (text, merge, stitch) in cases {
        assert_eq!(policy(&two(WEB, text)), MergePolicy { merge, stitch });
    }
}

#[test]
fn problems_of_profiles() {
    let untimed = "    identities: { ecid: ECID }";
    let cases = [
        (WEB, "  merge: [web]\n"),
        (WEB, "  merge: [wbe, crm, crm]\n"),
        (WEB, "  merge: []\n"),
        (untimed, "  merge: timestamp\n"),
        (untimed, "  stitch: graph\n"),
        (untimed, "  merge: [crm, web]\n"),
        ("    identities: { ecid: ECID, other: ECID }\n    timestamp: seen", "  stitch: none\n"),
        ("    timestamp: seen", "  stitch: none\n"),
        ("    identities: { ecid: ECID }\n    timestamp: seen at", "  merge: timestamp\n"),
    ];
    let shown: String = cases
        .iter()
        .map(|(web, profiles)| format!("{web}\n{profiles}{}", problems(&two(web, profiles))))
        .collect();
    insta::assert_snapshot!(shown, @r#"
        identities: { ecid: ECID, mail: Email }
        timestamp: seen
      merge: [web]
    21:10 incomplete_precedence the order of precedence leaves out `crm` <[web]>
        Name every profile dataset, the one that wins first.
        identities: { ecid: ECID, mail: Email }
        timestamp: seen
      merge: [wbe, crm, crm]
    21:10 incomplete_precedence the order of precedence leaves out `web` <[wbe, crm, crm]>
        Name every profile dataset, the one that wins first.
    21:11 unknown_dataset there is no profile dataset `wbe` <wbe>
        Did you mean `web`?
    21:21 duplicate_precedence `crm` stands twice in the order <crm>
        Keep the first of the two.
        identities: { ecid: ECID, mail: Email }
        timestamp: seen
      merge: []
    21:10 incomplete_precedence the order of precedence leaves out `crm`, `web` <[]>
        Name every profile dataset, the one that wins first.
        identities: { ecid: ECID }
      merge: timestamp
    16:3 missing_timestamp `merge: timestamp` needs a `timestamp` in `web` <web>
        Name the field that tells when a record was changed, or write `merge:` as a list of datasets in order of precedence.
        identities: { ecid: ECID }
      stitch: graph
    16:3 missing_timestamp merging several datasets needs a `timestamp` in `web` <web>
        Name the field that tells when a record was changed, or write `merge:` as a list of datasets in order of precedence.
        identities: { ecid: ECID }
      merge: [crm, web]
        identities: { ecid: ECID, other: ECID }
        timestamp: seen
      stitch: none
    18:38 duplicate_namespace the namespace `ECID` is that of `ecid` already <ECID>
        A record has one value of each namespace; keep one of the two fields.
        timestamp: seen
      stitch: none
    16:3 no_identity a profile dataset needs an identity <web>
        Write `identities: { id: CRMID }` with the field that identifies a person.
        identities: { ecid: ECID }
        timestamp: seen at
      merge: timestamp
    19:20 field_path not a field: expected `.` or `[` < at>
        Fields are written `person.name`, `emails[0].address` or `attributes['lang']`.
    "#);
}
