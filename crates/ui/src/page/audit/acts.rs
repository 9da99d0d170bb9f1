//! What the operations of the API are called in the audit log.

use crate::words::Lang;

/// The name of an operation, in English and French.
const ACTS: &[(&str, &str, &str)] = &[
    // Who works here
    ("set_up", "Made the first user", "Créé le premier utilisateur"),
    ("begin_session", "Signed in", "Connecté"),
    ("end_session", "Signed out", "Déconnecté"),
    ("add_user", "Added a user", "Ajouté un utilisateur"),
    ("change_user", "Changed a user", "Modifié un utilisateur"),
    ("remove_user", "Removed a user", "Supprimé un utilisateur"),
    ("add_token", "Made a token", "Créé un jeton"),
    ("remove_token", "Revoked a token", "Révoqué un jeton"),
    ("put_secret", "Stored a secret", "Enregistré un secret"),
    ("remove_secret", "Removed a secret", "Supprimé un secret"),
    ("set_alert_channels", "Set where alerts are told", "Choisi où vont les alertes"),
    // What is sent where
    ("add_account", "Added an account", "Ajouté un compte"),
    ("change_account", "Changed an account", "Modifié un compte"),
    ("remove_account", "Removed an account", "Supprimé un compte"),
    ("add_destination", "Added a destination", "Ajouté une destination"),
    ("change_destination", "Changed a destination", "Modifié une destination"),
    ("remove_destination", "Removed a destination", "Supprimé une destination"),
    ("check_destination", "Checked a destination", "Vérifié une destination"),
    ("check_destination_events", "Checked a destination", "Vérifié une destination"),
    ("check_draft", "Checked a draft of a destination", "Vérifié un brouillon de destination"),
    (
        "check_draft_events",
        "Checked a draft of a destination",
        "Vérifié un brouillon de destination",
    ),
    ("add_segment", "Added a segment", "Ajouté un segment"),
    ("change_segment", "Changed a segment", "Modifié un segment"),
    ("remove_segment", "Removed a segment", "Supprimé un segment"),
    ("add_activation", "Added an activation", "Ajouté une activation"),
    ("change_activation", "Changed an activation", "Modifié une activation"),
    ("remove_activation", "Removed an activation", "Supprimé une activation"),
    ("disable_activation", "Paused an activation", "Mis une activation en pause"),
    ("enable_activation", "Enabled an activation", "Réactivé une activation"),
    ("apply_objects", "Applied a project", "Appliqué un projet"),
    // Runs
    ("run_activation", "Ran an activation", "Lancé une activation"),
    ("order_runs", "Ran activations", "Lancé des activations"),
    ("release_run", "Released a run", "Libéré une exécution"),
    ("reject_run", "Rejected a run", "Rejeté une exécution"),
    ("replay_run", "Replayed a run", "Rejoué une exécution"),
    ("evaluate_segments", "Evaluated segments", "Évalué des segments"),
    // Questions about profiles
    ("look_up_person", "Looked a person up, masked", "Cherché une personne, masquée"),
    ("reveal_person", "Saw a person's real values", "Vu les vraies valeurs d’une personne"),
    ("unmask", "Saw real values", "Vu de vraies valeurs"),
    ("who_got", "Asked where a person's data went", "Demandé où des données sont parties"),
    ("try_rule", "Tried a rule", "Essayé une règle"),
    ("count_segment", "Counted a segment", "Compté un segment"),
    ("count_values", "Counted values", "Compté des valeurs"),
    (
        "explain_segment",
        "Asked why somebody is in a segment",
        "Demandé pourquoi quelqu’un est dans un segment",
    ),
    (
        "explain_draft",
        "Asked why somebody would be in a segment",
        "Demandé pourquoi quelqu’un serait dans un segment",
    ),
    ("preview_segment", "Looked at members, masked", "Regardé des membres, masqués"),
    ("preview_draft_segment", "Looked at members, masked", "Regardé des membres, masqués"),
    (
        "preview_activation",
        "Looked at first rows, masked",
        "Regardé des premières lignes, masquées",
    ),
    (
        "preview_draft_activation",
        "Looked at first rows, masked",
        "Regardé des premières lignes, masquées",
    ),
    ("preview_objects", "Looked at a draft", "Regardé un brouillon"),
    (
        "next_slots_of_draft",
        "Looked at the slots of a draft",
        "Regardé les échéances d’un brouillon",
    ),
    // Scripts for Adobe's Flow Service
    ("add_connection", "Added a connection", "Ajouté une connexion"),
    ("remove_connection", "Removed a connection", "Supprimé une connexion"),
    ("add_source_connection", "Added a source connection", "Ajouté une connexion source"),
    ("add_target_connection", "Added a target connection", "Ajouté une connexion cible"),
    ("remove_target_connection", "Removed a target connection", "Supprimé une connexion cible"),
    ("add_flow", "Added a flow", "Ajouté un flux"),
    ("change_flow", "Changed a flow", "Modifié un flux"),
    ("remove_flow", "Removed a flow", "Supprimé un flux"),
    ("switch_flow", "Paused or enabled a flow", "Mis un flux en pause ou réactivé"),
    ("add_mapping_schema", "Added a mapping schema", "Ajouté un schéma de correspondance"),
    ("add_mapping_set", "Added a mapping set", "Ajouté un ensemble de correspondances"),
    ("remove_mapping_set", "Removed a mapping set", "Supprimé un ensemble de correspondances"),
];

/// What an operation is called; nothing where it has no name here.
pub fn act(lang: Lang, operation: &str) -> Option<&'static str> {
    let (_, english, french) = ACTS.iter().find(|(name, ..)| *name == operation)?;
    Some(match lang {
        Lang::En => english,
        Lang::Fr => french,
    })
}
