//! `segue token`: tokens for programs that ask a server.

use crate::ambient;
use crate::app::access;
use crate::cli::{Format, Global, table};
use crate::failure::Failure;
use crate::http::Role;
use crate::workspace::Workspace;

/// Make, list and revoke tokens for programs that ask a server
///
/// While the server runs, its API does the same: /api/v1/tokens.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Create(CreateArgs),
    /// List tokens
    List,
    /// Revoke a token
    Revoke {
        /// The id of the token
        id: String,
    },
}

/// Make a token; its text is shown this once and kept nowhere
#[derive(Debug, clap::Args)]
struct CreateArgs {
    /// What it is for
    name: String,
    /// viewer, analyst, operator, destination-admin, privacy or admin
    #[arg(long, value_parser = parse_role)]
    role: Role,
    /// How long it lives
    #[arg(long, value_name = "N", default_value_t = 90)]
    days: u32,
}

fn parse_role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| format!("expected one of {}", Role::words()))
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let workspace = Workspace::load(global).await?;
    let ledger = workspace.open_ledger().await?;
    let now = ambient::now();
    match &args.command {
        Command::Create(args) => {
            let (token, secret) =
                access::make_token(&ledger, &args.name, args.role, args.days, "command line", now)
                    .await?;
            match global.output {
                Format::Text => {
                    super::answer(&secret);
                    super::say(&format!(
                        "Token {} with role {}, good until {}. It is not shown again.",
                        token.id, token.role, token.expires
                    ));
                }
                Format::Json => super::answer_json(&json(&token, Some(&secret))),
            }
        }
        Command::List => {
            let tokens = ledger.tokens().await?;
            match global.output {
                Format::Text if tokens.is_empty() => super::say("There are no tokens."),
                Format::Text => super::answer(&text(&tokens)),
                Format::Json => {
                    super::answer_json(&tokens.iter().map(|token| json(token, None)).collect());
                }
            }
        }
        Command::Revoke { id } => {
            if !ledger.remove_token(id).await? {
                return Err(Failure::usage(format!("there is no token `{id}`"))
                    .hint("`segue token list` lists them."));
            }
            super::say(&format!("Token {id} is worth nothing any more."));
        }
    }
    ledger.close().await;
    Ok(())
}

fn text(tokens: &[ledger::Token]) -> String {
    let row = |token: &ledger::Token| {
        vec![
            token.id.clone(),
            token.name.clone(),
            token.role.clone(),
            token.expires.to_string(),
            token.last_used.map(|at| at.to_string()).unwrap_or_default(),
        ]
    };
    table::table(
        &["token", "name", "role", "good until", "last used"],
        &[],
        tokens.iter().map(row).collect(),
    )
}

fn json(token: &ledger::Token, secret: Option<&str>) -> serde_json::Value {
    let mut value = serde_json::json!({
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "createdAt": token.created.to_string(),
        "createdBy": token.creator,
        "expiresAt": token.expires.to_string(),
        "lastUsedAt": token.last_used.map(|at| at.to_string()),
    });
    if let Some(secret) = secret {
        value["secret"] = secret.into();
    }
    value
}
