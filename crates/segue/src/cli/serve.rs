//! `segue serve`: the schedule kept, unattended, and questions answered over HTTP.

use std::net::SocketAddr;

use ::plan::planner::turn::Limits;
use jiff::SignedDuration;
use secrecy::SecretString;

use crate::ambient;
use crate::app::access;
use crate::cli::Global;
use crate::failure::Failure;
use crate::http::{self, Door};
use crate::server::{self, Beacon, Mail, Options, Rules, Way, Webhook};

/// After how many minutes a slot that is not over is late, where nobody says otherwise.
pub(super) const LATE_AFTER_MINUTES: u32 = 150;

/// Keep the schedule: run every segment when it is due, until told to stop
///
/// Every slot ends as delivered, skipped or failed, with a reason; `segue slots` lists them. Runs that
/// an earlier process left go on first. The REST API answers on --listen; /api/docs describes it.
/// Ctrl-C or SIGTERM ends it within a minute: runs that are committed are finished, others are rolled
/// back and begin again with the next start.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the API answers
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7341")]
    listen: SocketAddr,
    /// Another name by which this server is called (can be repeated)
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// A proxy in front of this server takes care of TLS; needed for addresses that others can reach
    #[arg(long)]
    behind_proxy: bool,
    /// Where alerts are posted, signed with SEGUE_WEBHOOK_SECRET
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// Who gets alerts by mail (can be repeated); needs --mail-from and --smtp
    #[arg(long, value_name = "ADDRESS", requires = "mail_from", requires = "smtp")]
    mail_to: Vec<String>,
    /// From whom alerts come
    #[arg(long, value_name = "ADDRESS", requires = "mail_to")]
    mail_from: Option<String>,
    /// The mail server: smtps://[USER@]HOST[:PORT], or smtp://… with STARTTLS; the password is in
    /// SEGUE_SMTP_PASSWORD
    #[arg(long, value_name = "URL", requires = "mail_to")]
    smtp: Option<String>,
    /// A slot that is not over so many minutes after its time is late
    #[arg(long, value_name = "MINUTES", default_value_t = LATE_AFTER_MINUTES)]
    late_after: u32,
    /// A run that leaves out more than this share of the members is told of
    #[arg(long, value_name = "PERCENT", default_value_t = 20, value_parser = clap::value_parser!(u8).range(0..=100))]
    exclusions_max: u8,
    /// By which this server is told from others on the same database; one that starts again under its
    /// name goes on at once with what it had (default: the machine's name and the port)
    #[arg(long, value_name = "NAME", env = "SEGUE_SERVER_NAME")]
    name: Option<String>,
    /// For how many seconds what a server on a database has is its own when it dies or stops; then
    /// another server takes it over
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(3..=3600))]
    lease: u16,
    /// How many runs may go on at once; they share --memory
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    runs: u16,
    /// How many of them may go to one destination
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    runs_per_destination: u16,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let limits = Limits {
        runs: usize::from(args.runs),
        per_destination: usize::from(args.runs_per_destination),
    };
    let webhook = args.webhook.as_deref().map(webhook).transpose()?;
    let mail = match (&args.smtp, &args.mail_from) {
        (Some(url), Some(from)) => Some(mail(url, from, &args.mail_to)?),
        _ => None,
    };
    let rules = Rules {
        late_after: SignedDuration::from_mins(i64::from(args.late_after)),
        exclusion_rate_max: f64::from(args.exclusions_max) / 100.0,
        // Whoever the ways lead to, which may change while the server runs.
        to: &[],
    };
    let webhook = webhook.map(|webhook| Way::Webhook(Box::new(webhook)));
    let mail = mail.map(|mail| Way::Mail(Box::new(mail)));
    let ways = webhook.into_iter().chain(mail).collect();
    let name = args.name.clone().unwrap_or_else(|| server_name(args.listen));
    let lease = SignedDuration::from_secs(i64::from(args.lease));
    let shared = server::open(global, Options { name, lease, limits, rules }, ways).await?;
    let door =
        Door { address: args.listen, hosts: args.hosts.clone(), behind_proxy: args.behind_proxy };
    let answering = http::open(&shared, &door).await?;
    let beacon = Beacon::light(&shared.workspace(), &answering.url);
    let url = shown_url(&door, &answering.url);
    super::say(&format!(
        "Serving at {url}: open it in a browser; {url}/api/docs describes the API. Ctrl-C ends it."
    ));
    if let Some(secret) = access::setup_link(&shared.ledger, ambient::now()).await? {
        super::say(&format!(
            "There is no user yet. Make the first one within half an hour: {url}/setup#{secret}"
        ));
    }
    server::work(&shared).await;
    answering.end().await;
    drop(beacon);
    shared.ledger.clone().close().await;
    Ok(())
}

/// The address for a browser: by the name that a proxy has, where there is one. Nobody can open the
/// address that stands for all addresses of a machine.
fn shown_url(door: &Door, url: &str) -> String {
    match door.hosts.first() {
        Some(host) if door.behind_proxy => format!("https://{host}"),
        _ => url.replace("//0.0.0.0:", "//localhost:").replace("//[::]:", "//localhost:"),
    }
}

/// The machine's name and the port: the same at the next start, and no other server has it.
fn server_name(listen: SocketAddr) -> String {
    match (ambient::machine(), listen.port()) {
        (Some(machine), port) if port != 0 => format!("{machine}:{port}"),
        _ => format!("server {}", ambient::nonce()),
    }
}

/// The name of the variable that holds the secret of the webhook.
const SECRET_VARIABLE: &str = "SEGUE_WEBHOOK_SECRET";

/// The name of the variable that holds the password for the mail server.
const PASSWORD_VARIABLE: &str = "SEGUE_SMTP_PASSWORD";

fn mail(url: &str, from: &str, to: &[String]) -> Result<Mail, Failure> {
    let password = ambient::variable(PASSWORD_VARIABLE).unwrap_or_default();
    Mail::new(url, from, to, SecretString::from(password))
}

fn webhook(url: &str) -> Result<Webhook, Failure> {
    let secret = ambient::variable(SECRET_VARIABLE).unwrap_or_default();
    Webhook::new(url, SecretString::from(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_that_a_browser_can_open() {
        let shown = |address: &str, hosts: &[&str], behind_proxy| {
            let hosts = hosts.iter().map(|&host| host.to_owned()).collect();
            let door = Door { address: address.parse().expect("an address"), hosts, behind_proxy };
            shown_url(&door, &format!("http://{address}"))
        };
        assert_eq!(shown("127.0.0.1:7341", &["localhost"], false), "http://127.0.0.1:7341");
        assert_eq!(shown("0.0.0.0:7341", &[], true), "http://localhost:7341");
        assert_eq!(shown("[::]:7341", &[], true), "http://localhost:7341");
        assert_eq!(shown("0.0.0.0:7341", &["segue.example"], true), "https://segue.example");
    }
}
