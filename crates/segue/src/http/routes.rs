//! What can be asked.

use std::collections::HashMap;

use http::Method;

use super::answers::{
    access, activations, alerts, destinations, drafts, evaluations, fields, files, log, objects,
    people, preview, profiles, project, replays, rules, runs, secrets, server, slots, who_got,
};
use super::flow_service::{
    FlowBody, Items, Made, Operation, connections, flows, mapping_sets, runs as flow_runs, targets,
};
use super::problem::{Code, Problem};
use super::rights::{Right, Role};
use super::route::{Gives, Parameter, Route, schema};

const KEY: Parameter = Parameter::text("key", "Only objects whose key begins so");
const RUN: Parameter = Parameter::text("run", "Only those of this run");
const DESTINATION: Parameter = Parameter::text("destination", "Only those of this destination");
const LIMIT: Parameter = Parameter::number("limit", "At most so many", 1, 1_000);
const COUNT: Parameter = Parameter::number("count", "How many slots of each segment", 1, 1_000);
const CURSOR: Parameter = Parameter::text("cursor", "Where to go on: `next` of the answer before");
const ACTIVATION: Parameter = Parameter::text("activation", "Only those of this activation");
const SEGMENT: Parameter = Parameter::text("segment", "Only those of this segment");
const SINCE: Parameter = Parameter::text(
    "since",
    "Only those for a slot at this time or later, such as 2026-01-31T06:00:00Z",
);
const BEFORE: Parameter = Parameter::text("before", "Only those for a slot before this time");

const FIRST: Parameter = Parameter::number(
    "first",
    "From the entry with this number on; from the first without it",
    1,
    u32::MAX,
);
const LAST: Parameter = Parameter::number(
    "last",
    "To the entry with this number; to the newest without it",
    1,
    u32::MAX,
);
const FLOW: Parameter = Parameter::text("property", "Only those of a flow: flowId==ID");
const CONTINUATION: Parameter =
    Parameter::text("continuationToken", "Where to go on: `next` of the page before");

/// What begins so is said by the project file alone.
const OF_THE_FILE: &[&str] = &["/api/v1/datasets", "/api/v1/project"];

const OPERATION: Parameter = words("op", "What becomes of it", &["enable", "disable"]);

/// A parameter that is one of a few words.
const fn words(
    name: &'static str,
    about: &'static str,
    words: &'static [&'static str],
) -> Parameter {
    Parameter { name, about, number: None, words }
}

const RUN_STATE: Parameter = words(
    "state",
    "Only those in this state",
    &["claimed", "staging", "committing", "delivered", "skipped", "failed", "blocked"],
);
const SLOT_STATE: Parameter = words(
    "state",
    "Only those in this state",
    &["planned", "running", "blocked", "delivered", "skipped", "failed"],
);

/// A route that gives JSON and takes nothing.
macro_rules! get {
    ($path:literal, $name:ident, $right:ident, [$($query:expr),*], $gives:ty, $handler:path, $summary:literal) => {
        Route {
            method: Method::GET, path: $path, name: stringify!($name), summary: $summary, right: Right::$right,
            query: &[$($query),*], takes: None, status: 200, gives: Gives::Json(schema::<$gives>),
            handler: |app, ask| Box::pin($handler(app, ask)),
        }
    };
}

/// A route that gives text as it is.
macro_rules! text {
    ($path:literal, $name:ident, $right:ident, $media:literal, $handler:path, $summary:literal) => {
        Route {
            method: Method::GET,
            path: $path,
            name: stringify!($name),
            summary: $summary,
            right: Right::$right,
            query: &[],
            takes: None,
            status: 200,
            gives: Gives::Text($media),
            handler: |app, ask| Box::pin($handler(app, ask)),
        }
    };
}

/// A route that changes something.
macro_rules! change {
    ($method:ident $path:literal, $name:ident, $right:ident, $takes:expr, $status:literal, $gives:expr, $handler:path, $summary:literal) => {
        Route {
            method: Method::$method,
            path: $path,
            name: stringify!($name),
            summary: $summary,
            right: Right::$right,
            query: &[],
            takes: $takes,
            status: $status,
            gives: $gives,
            handler: |app, ask| Box::pin($handler(app, ask)),
        }
    };
}

/// The table.
pub(crate) const ROUTES: &[Route] = &[
    text!("/healthz", health, Open, "text/plain", server::health, "Whether the process answers"),
    text!(
        "/readyz",
        readiness,
        Open,
        "text/plain",
        server::readiness,
        "Whether slots are planned and the ledger answers"
    ),
    text!("/metrics", metrics, Read, "text/plain", server::metrics, "Figures for Prometheus"),
    text!(
        "/api/docs",
        explorer,
        Open,
        "text/html",
        server::explorer,
        "A page to read this document and try requests"
    ),
    text!(
        "/api/docs/script.js",
        explorer_script,
        Open,
        "text/javascript",
        server::explorer_script,
        "Its script"
    ),
    text!(
        "/api/docs/style.css",
        explorer_style,
        Open,
        "text/css",
        server::explorer_style,
        "Its style"
    ),
    text!("/api/openapi.json", openapi, Open, "application/json", server::openapi, "This document"),
    get!(
        "/api/v1/server",
        get_server,
        Read,
        [],
        server::Server,
        server::server,
        "What this server is and how it is doing"
    ),
    change!(POST "/api/v1/setup", set_up, Open, Some(schema::<access::SetUp>), 201, Gives::Json(schema::<access::User>), access::set_up, "Make the first user, with the one-time link"),
    change!(POST "/api/v1/session", begin_session, Open, Some(schema::<access::SignIn>), 201, Gives::Json(schema::<access::Session>), access::begin_session, "Sign in with name and password"),
    get!(
        "/api/v1/session",
        get_session,
        SignedIn,
        [],
        access::Who,
        access::session,
        "Who you are and what you may do"
    ),
    change!(DELETE "/api/v1/session", end_session, SignedIn, None, 204, Gives::Nothing, access::end_session, "Sign out"),
    get!("/api/v1/users", list_users, Administer, [], access::Users, access::users, "List users"),
    change!(POST "/api/v1/users", add_user, Administer, Some(schema::<access::NewUser>), 201, Gives::Json(schema::<access::User>), access::add_user, "Make a user"),
    change!(PUT "/api/v1/users/{name}", change_user, Administer, Some(schema::<access::ChangedUser>), 200, Gives::Json(schema::<access::User>), access::change_user, "Change role and password of a user, and end the user's sessions"),
    change!(DELETE "/api/v1/users/{name}", remove_user, Administer, None, 204, Gives::Nothing, access::remove_user, "Remove a user"),
    get!(
        "/api/v1/tokens",
        list_tokens,
        Administer,
        [],
        access::Tokens,
        access::tokens,
        "List tokens"
    ),
    change!(POST "/api/v1/tokens", add_token, Administer, Some(schema::<access::NewToken>), 201, Gives::Json(schema::<access::MadeToken>), access::add_token, "Make a token; its text is shown this once"),
    change!(DELETE "/api/v1/tokens/{id}", remove_token, Administer, None, 204, Gives::Nothing, access::remove_token, "Revoke a token"),
    get!(
        "/api/v1/project",
        get_project,
        Read,
        [],
        project::Project,
        project::project,
        "The project as it was last read"
    ),
    get!(
        "/api/v1/datasets",
        list_datasets,
        Read,
        [],
        project::Datasets,
        project::datasets,
        "List datasets"
    ),
    get!(
        "/api/v1/datasets/{key}/schema",
        get_dataset_schema,
        Read,
        [],
        profiles::Fields,
        profiles::dataset_schema,
        "The fields of a dataset's records, with their types"
    ),
    get!(
        "/api/v1/schema",
        get_schema,
        Read,
        [],
        profiles::Fields,
        fields::schema,
        "The fields of profiles, with their types"
    ),
    change!(POST "/api/v1/schema/values", count_values, Analyse, Some(schema::<fields::CountValues>), 200, Gives::Json(schema::<fields::Values>), fields::count_values, "Count how many profiles have a value in some fields"),
    get!(
        "/api/v1/segments",
        list_segments,
        Read,
        [],
        project::Segments,
        project::segments,
        "List segments"
    ),
    get!(
        "/api/v1/segments/{key}",
        get_segment,
        Read,
        [],
        project::Segment,
        project::segment,
        "One segment"
    ),
    change!(POST "/api/v1/segments", add_segment, Define, Some(objects::new_segment), 201, Gives::Json(schema::<project::Segment>), project::add_segment, "Make a segment that is kept in the ledger"),
    change!(PUT "/api/v1/segments/{key}", change_segment, Define, Some(objects::changed_segment), 200, Gives::Json(schema::<project::Segment>), project::change_segment, "Change a segment that is kept in the ledger"),
    change!(DELETE "/api/v1/segments/{key}", remove_segment, Define, None, 204, Gives::Nothing, project::remove_segment, "Remove a segment that is kept in the ledger"),
    change!(POST "/api/v1/evaluations", evaluate_segments, Operate, Some(schema::<evaluations::Evaluate>), 200, Gives::Json(schema::<evaluations::Evaluations>), evaluations::evaluate, "Evaluate segments now, remember who joined and who left, and run what follows evaluations"),
    change!(POST "/api/v1/segments/{key}/count", count_segment, Analyse, None, 200, Gives::Json(schema::<profiles::Count>), profiles::count, "Count the members of a segment, exactly"),
    change!(POST "/api/v1/preview", preview_objects, Read, Some(schema::<preview::PreviewObjects>), 200, Gives::Json(schema::<preview::Previewed>), preview::preview, "What objects that nobody has saved would come to: problems, names, slots, first lines, rows"),
    change!(POST "/api/v1/drafts/segment/try", try_rule, Analyse, Some(schema::<rules::TryRule>), 200, Gives::Json(schema::<rules::RuleTried>), rules::try_rule, "Try the rule of a segment that is kept nowhere: what is wrong with it, or how many are in it and a few of them, masked"),
    change!(POST "/api/v1/profiles/lookup", look_up_person, Analyse, Some(schema::<people::LookUp>), 200, Gives::Json(schema::<people::Found>), people::look_up, "Look up one person by an identity, masked: fields, and memberships with what decides them"),
    change!(POST "/api/v1/profiles/reveal", reveal_person, Unmask, Some(schema::<people::LookUp>), 200, Gives::Json(schema::<people::Found>), people::reveal, "Look up one person with real values"),
    change!(POST "/api/v1/profiles/who-got", who_got, Analyse, Some(schema::<who_got::AskWhoGot>), 200, Gives::Json(schema::<who_got::WhoGot>), who_got::ask, "Every delivered file that a person's data went out in, and the runs of which that is not known"),
    change!(POST "/api/v1/segments/{key}/preview", preview_segment, Analyse, Some(schema::<profiles::Preview>), 200, Gives::Json(schema::<profiles::Rows>), profiles::preview_segment, "Show some members of a segment, masked"),
    change!(POST "/api/v1/segments/{key}/explain", explain_segment, Analyse, Some(schema::<profiles::Why>), 200, Gives::Json(schema::<profiles::Told>), profiles::explain_segment, "Say why a person is in a segment or not, masked"),
    change!(POST "/api/v1/drafts/segment/preview", preview_draft_segment, Analyse, Some(schema::<drafts::DraftPreview>), 200, Gives::Json(schema::<profiles::Rows>), drafts::preview_segment, "Show some members of a segment that is kept nowhere, masked"),
    change!(POST "/api/v1/drafts/segment/explain", explain_draft, Analyse, Some(schema::<drafts::DraftWhy>), 200, Gives::Json(schema::<profiles::Told>), drafts::explain_segment, "Say why a person is in a segment that is kept nowhere, masked"),
    change!(POST "/api/v1/drafts/activation/preview", preview_draft_activation, Analyse, Some(schema::<drafts::DraftPreview>), 200, Gives::Json(schema::<profiles::Rows>), drafts::preview_activation, "Show the first rows of an activation that is kept nowhere, masked"),
    Route {
        query: &[COUNT],
        ..change!(POST "/api/v1/drafts/activation/next", next_slots_of_draft, Read, Some(schema::<drafts::Draft>), 200, Gives::Json(schema::<activations::Upcoming>), drafts::next, "The next slots and file names of an activation that is kept nowhere")
    },
    change!(POST "/api/v1/drafts/destination/check/events", check_draft_events, Connect, Some(schema::<drafts::DraftDestination>), 200, Gives::Text("text/event-stream"), drafts::check_destination_events, "The same check with an event for each permission as soon as it is tried, as for destinations that are kept"),
    change!(POST "/api/v1/drafts/destination/check", check_draft, Connect, Some(schema::<drafts::DraftDestination>), 200, Gives::Json(schema::<destinations::Checked>), drafts::check_destination, "Try the permissions of a destination that is kept nowhere"),
    get!(
        "/api/v1/accounts",
        list_accounts,
        Read,
        [],
        project::Accounts,
        project::accounts,
        "List accounts, without secrets"
    ),
    get!(
        "/api/v1/accounts/{key}",
        get_account,
        Read,
        [],
        project::Account,
        project::account,
        "One account, without secrets"
    ),
    change!(POST "/api/v1/accounts", add_account, Connect, Some(objects::new_account), 201, Gives::Json(schema::<project::Account>), project::add_account, "Make an account that is kept in the ledger"),
    change!(PUT "/api/v1/accounts/{key}", change_account, Connect, Some(objects::changed_account), 200, Gives::Json(schema::<project::Account>), project::change_account, "Change an account that is kept in the ledger"),
    change!(DELETE "/api/v1/accounts/{key}", remove_account, Connect, None, 204, Gives::Nothing, project::remove_account, "Remove an account that is kept in the ledger"),
    get!(
        "/api/v1/destinations",
        list_destinations,
        Read,
        [],
        project::Destinations,
        project::destinations,
        "List destinations"
    ),
    get!(
        "/api/v1/destinations/{key}",
        get_destination,
        Read,
        [],
        project::Destination,
        project::destination,
        "One destination"
    ),
    change!(POST "/api/v1/destinations", add_destination, Connect, Some(objects::new_destination), 201, Gives::Json(schema::<project::Destination>), project::add_destination, "Make a destination that is kept in the ledger"),
    change!(PUT "/api/v1/destinations/{key}", change_destination, Connect, Some(objects::changed_destination), 200, Gives::Json(schema::<project::Destination>), project::change_destination, "Change a destination that is kept in the ledger"),
    change!(DELETE "/api/v1/destinations/{key}", remove_destination, Connect, None, 204, Gives::Nothing, project::remove_destination, "Remove a destination that is kept in the ledger"),
    get!(
        "/api/v1/destinations/{key}/policy",
        get_policy,
        Read,
        [],
        destinations::Policy,
        destinations::policy,
        "The smallest policies that a destination works with"
    ),
    change!(POST "/api/v1/destinations/{key}/check/events", check_destination_events, Connect, None, 200, Gives::Text("text/event-stream"), destinations::check_events, "The same check with an event for each permission as soon as it is tried: `begun` with all of them, `permission` with one as it stands in the report, and at last `checked` as the check gives it, or `problem`"),
    change!(POST "/api/v1/destinations/{key}/check", check_destination, Connect, None, 200, Gives::Json(schema::<destinations::Checked>), destinations::check, "Try every permission that a destination needs; no object is left behind"),
    get!(
        "/api/v1/activations",
        list_activations,
        Read,
        [],
        activations::Activations,
        activations::list,
        "List activations"
    ),
    get!(
        "/api/v1/activations/{key}",
        get_activation,
        Read,
        [],
        activations::Activation,
        activations::get,
        "One activation"
    ),
    change!(POST "/api/v1/activations", add_activation, Operate, Some(objects::new_activation), 201, Gives::Json(schema::<activations::Activation>), activations::add_activation, "Make an activation that is kept in the ledger"),
    change!(PUT "/api/v1/activations/{key}", change_activation, Operate, Some(objects::changed_activation), 200, Gives::Json(schema::<activations::Activation>), activations::change_activation, "Change an activation that is kept in the ledger"),
    change!(DELETE "/api/v1/activations/{key}", remove_activation, Operate, None, 204, Gives::Nothing, activations::remove_activation, "Remove an activation that is kept in the ledger"),
    change!(POST "/api/v1/activations/{key}/preview", preview_activation, Analyse, Some(schema::<profiles::Preview>), 200, Gives::Json(schema::<profiles::Rows>), profiles::preview_activation, "Show the first rows that an activation would send, masked"),
    get!(
        "/api/v1/activations/{key}/next",
        next_slots,
        Read,
        [COUNT],
        activations::Upcoming,
        activations::next,
        "The next slots, in local time and in UTC"
    ),
    change!(POST "/api/v1/activations/{key}/enable", enable_activation, Operate, None, 200, Gives::Json(schema::<activations::Activation>), activations::enable, "Enable an activation; slots that were skipped stay skipped"),
    change!(POST "/api/v1/activations/{key}/disable", disable_activation, Operate, None, 200, Gives::Json(schema::<activations::Activation>), activations::disable, "Disable an activation: its slots are skipped until it is enabled"),
    change!(POST "/api/v1/activations/{key}/run", run_activation, Operate, Some(schema::<activations::RunNow>), 202, Gives::Json(schema::<slots::Slots>), activations::run, "Run an activation now, or for a given slot"),
    get!(
        "/api/v1/objects",
        export_objects,
        Read,
        [],
        objects::Objects,
        objects::export,
        "Everything that is kept in the ledger, as it would stand in the project file"
    ),
    change!(PUT "/api/v1/objects", apply_objects, Administer, Some(schema::<objects::Apply>), 200, Gives::Json(schema::<objects::Applied>), objects::apply, "Bring what is kept in the ledger to what is sent, or tell the differences"),
    get!(
        "/api/v1/secrets",
        list_secrets,
        Connect,
        [],
        secrets::Secrets,
        secrets::list,
        "List stored secrets by name, never their values"
    ),
    change!(PUT "/api/v1/secrets/{name}", put_secret, Connect, Some(schema::<secrets::NewSecret>), 200, Gives::Json(schema::<secrets::Secret>), secrets::put, "Store a secret, encrypted"),
    change!(DELETE "/api/v1/secrets/{name}", remove_secret, Connect, None, 204, Gives::Nothing, secrets::remove, "Remove a secret that nothing refers to"),
    get!(
        "/api/v1/slots",
        list_slots,
        Read,
        [ACTIVATION, SEGMENT, SLOT_STATE, LIMIT, CURSOR],
        slots::Slots,
        slots::list,
        "List slots, the latest first"
    ),
    get!(
        "/api/v1/runs",
        list_runs,
        Read,
        [ACTIVATION, SEGMENT, DESTINATION, RUN_STATE, SINCE, BEFORE, LIMIT, CURSOR],
        runs::Runs,
        runs::list,
        "List runs, the latest slot first"
    ),
    get!(
        "/api/v1/runs/{id}",
        get_run,
        Read,
        [],
        runs::RunDetail,
        runs::get,
        "One run with its files, counts, exclusions and inputs"
    ),
    change!(POST "/api/v1/runs/{id}/release", release_run, Operate, None, 200, Gives::Json(schema::<runs::RunDetail>), runs::release, "Let a run go on that a guard stopped, or that is committed and whose object somebody else changed"),
    change!(POST "/api/v1/runs/{id}/replay", replay_run, Operate, None, 200, Gives::Json(schema::<replays::Replayed>), replays::replay, "Make the files of a delivered run again, byte by byte, and put them back if they are gone"),
    change!(POST "/api/v1/runs/{id}/reject", reject_run, Operate, Some(schema::<runs::Reject>), 200, Gives::Json(schema::<runs::RunDetail>), runs::reject, "End a run that waits for a person, with nothing visible"),
    text!(
        "/api/v1/runs/{id}/events",
        run_events,
        Read,
        "text/event-stream",
        runs::events,
        "What happens to a run, as server-sent events, until it is over"
    ),
    get!(
        "/api/v1/files",
        list_files,
        Read,
        [KEY, RUN, DESTINATION, LIMIT, CURSOR],
        files::Files,
        files::list,
        "List what became visible, the latest first"
    ),
    get!(
        "/api/v1/alerts",
        list_alerts,
        Read,
        [LIMIT, CURSOR],
        alerts::Alerts,
        alerts::list,
        "What somebody was or should be told, the latest first"
    ),
    get!(
        "/api/v1/alerts/channels",
        get_alert_channels,
        Read,
        [],
        alerts::AlertChannels,
        alerts::channels,
        "Where alerts are told, without secrets"
    ),
    change!(PUT "/api/v1/alerts/channels", set_alert_channels, Administer, Some(schema::<alerts::NewAlertChannels>), 200, Gives::Json(schema::<alerts::AlertChannels>), alerts::set_channels, "Set where alerts are told from now on; a channel that is left out is no more"),
    get!(
        "/api/v1/audit",
        list_audit,
        Audit,
        [LIMIT, CURSOR],
        log::Audit,
        log::list,
        "Who did what, the latest first"
    ),
    get!(
        "/api/v1/audit/check",
        check_audit,
        Audit,
        [FIRST, LAST],
        log::Check,
        log::check,
        "Whether the audit log is as it was written"
    ),
    change!(POST "/data/foundation/flowservice/connections", add_connection, Connect, Some(schema::<connections::NewConnection>), 201, Gives::Json(schema::<Made>), connections::add, "Make a base connection, which is an account"),
    get!(
        "/data/foundation/flowservice/connections",
        list_connections,
        Read,
        [],
        Items<connections::Connection>,
        connections::list,
        "List base connections, without secrets"
    ),
    get!(
        "/data/foundation/flowservice/connections/{id}",
        get_connection,
        Read,
        [],
        Items<connections::Connection>,
        connections::get,
        "One base connection, without secrets"
    ),
    change!(DELETE "/data/foundation/flowservice/connections/{id}", remove_connection, Connect, None, 204, Gives::Nothing, connections::remove, "Remove a base connection that nothing uses, and its secret"),
    change!(POST "/data/foundation/flowservice/sourceConnections", add_source_connection, Operate, Some(schema::<connections::NewSource>), 201, Gives::Json(schema::<Made>), connections::add_source, "Name the source connection, which is the profiles of the project"),
    get!(
        "/data/foundation/flowservice/sourceConnections",
        list_source_connections,
        Read,
        [],
        Items<connections::Source>,
        connections::list_sources,
        "The source connection"
    ),
    change!(POST "/data/foundation/flowservice/targetConnections", add_target_connection, Connect, Some(schema::<targets::NewTarget>), 201, Gives::Json(schema::<Made>), targets::add, "Make a target connection, which is a destination"),
    get!(
        "/data/foundation/flowservice/targetConnections",
        list_target_connections,
        Read,
        [],
        Items<targets::Target>,
        targets::list,
        "List target connections"
    ),
    get!(
        "/data/foundation/flowservice/targetConnections/{id}",
        get_target_connection,
        Read,
        [],
        Items<targets::Target>,
        targets::get,
        "One target connection"
    ),
    change!(DELETE "/data/foundation/flowservice/targetConnections/{id}", remove_target_connection, Connect, None, 204, Gives::Nothing, targets::remove, "Remove a target connection that no flow uses"),
    change!(POST "/data/foundation/flowservice/flows", add_flow, Operate, Some(schema::<FlowBody>), 201, Gives::Json(schema::<Made>), flows::add, "Make a flow; it is an activation as soon as it has a segment and an attribute"),
    get!(
        "/data/foundation/flowservice/flows",
        list_flows,
        Read,
        [],
        Items<flows::FlowView>,
        flows::list,
        "List flows"
    ),
    get!(
        "/data/foundation/flowservice/flows/{id}",
        get_flow,
        Read,
        [],
        Items<flows::FlowView>,
        flows::get,
        "One flow"
    ),
    change!(PATCH "/data/foundation/flowservice/flows/{id}", change_flow, Operate, Some(schema::<Vec<Operation>>), 202, Gives::Json(schema::<Made>), flows::change, "Change a flow by JSON Patch: its segments, attributes, name or description"),
    change!(DELETE "/data/foundation/flowservice/flows/{id}", remove_flow, Operate, None, 204, Gives::Nothing, flows::remove, "Remove a flow"),
    Route {
        query: &[OPERATION],
        ..change!(POST "/data/foundation/flowservice/flows/{id}/action", switch_flow, Operate, None, 202, Gives::Json(schema::<Made>), flows::act, "Enable or disable a flow")
    },
    get!(
        "/data/foundation/flowservice/runs",
        list_flow_runs,
        Read,
        [FLOW, LIMIT, CONTINUATION],
        flow_runs::FlowRuns,
        flow_runs::list,
        "List runs of flows, those that wait first, then the latest"
    ),
    get!(
        "/data/foundation/flowservice/runs/{id}",
        get_flow_run,
        Read,
        [],
        flow_runs::OneRun,
        flow_runs::get,
        "One run of a flow"
    ),
    change!(POST "/data/foundation/conversion/schemas", add_mapping_schema, Operate, Some(schema::<mapping_sets::NewSchema>), 201, Gives::Json(schema::<mapping_sets::MadeSchema>), mapping_sets::add_schema, "Name a schema for a mapping set; it is not kept"),
    change!(POST "/data/foundation/conversion/mappingSets", add_mapping_set, Operate, Some(schema::<mapping_sets::NewMappingSet>), 201, Gives::Json(schema::<mapping_sets::MadeMappingSet>), mapping_sets::add, "Make a list of columns that flows take up by its id"),
    get!(
        "/data/foundation/conversion/mappingSets/{id}",
        get_mapping_set,
        Read,
        [],
        mapping_sets::MappingSet,
        mapping_sets::get,
        "One mapping set"
    ),
    change!(DELETE "/data/foundation/conversion/mappingSets/{id}", remove_mapping_set, Operate, None, 204, Gives::Nothing, mapping_sets::remove, "Remove a mapping set; flows that took it up keep their columns"),
    change!(POST "/data/core/activation/disflowprovider/adhocrun", order_runs, Operate, Some(schema::<flow_runs::AdHoc>), 200, Gives::Json(schema::<flow_runs::Ordered>), flow_runs::order, "Run segments of flows now"),
];

/// The table, made to be searched.
pub(crate) struct Table {
    paths: matchit::Router<HashMap<Method, &'static Route>>,
}

/// The parts of a path that vary, by name.
pub(crate) type Parameters = Vec<(String, String)>;

impl Table {
    pub(crate) fn new() -> Self {
        let mut by_path: HashMap<&str, HashMap<Method, &'static Route>> = HashMap::new();
        for route in ROUTES {
            by_path.entry(route.path).or_default().insert(route.method.clone(), route);
        }
        let mut paths = matchit::Router::new();
        for (path, methods) in by_path {
            // The test `every_route_is_reached` would fail.
            drop(paths.insert(path, methods));
        }
        Self { paths }
    }

    /// Finds a route by its name.
    pub(crate) fn named(name: &str) -> Option<&'static Route> {
        ROUTES.iter().find(|route| route.name == name)
    }

    /// Finds the route of a request, with the parts of its path that vary.
    pub(crate) fn find(
        &self,
        method: &Method,
        path: &str,
    ) -> Result<(&'static Route, Parameters), Problem> {
        let Ok(matched) = self.paths.at(path) else {
            return Err(Problem::new(Code::NotFound, "There is nothing at this path.")
                .hint("GET /api/docs shows what there is."));
        };
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        let Some(route) = matched.value.get(wanted) else {
            let is_project = OF_THE_FILE.iter().any(|begin| path.starts_with(begin));
            if is_project && [Method::PUT, Method::PATCH, Method::DELETE].contains(method) {
                let detail = "It comes from the project file, and is read-only here.";
                return Err(Problem::new(Code::ReadOnly, detail)
                    .hint("Change the file; the server reads it again within half a minute."));
            }
            let mut allowed: Vec<&str> = matched.value.keys().map(Method::as_str).collect();
            if allowed.contains(&"GET") {
                allowed.push("HEAD");
            }
            allowed.sort_unstable();
            return Err(Problem::other_method(&allowed));
        };
        Ok((route, decoded(&matched.params)))
    }
}

/// The parts of a path that vary, as they were meant.
pub(super) fn decoded(parameters: &matchit::Params<'_, '_>) -> Parameters {
    parameters.iter().map(|(name, value)| (name.to_owned(), percent_decoded(value))).collect()
}

/// `%41` becomes `A`; what is not so encoded stays.
pub(super) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let hex = (first == b'%').then(|| behind.get(..2)).flatten();
        let value = hex
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match value {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The rights of a role, for those who ask what they may do.
pub(crate) fn allowed(role: Role) -> Vec<&'static str> {
    ROUTES.iter().filter(|route| role.may(route.right)).map(|route| route.name).collect()
}
