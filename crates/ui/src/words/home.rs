//! Words of the home page, the profile lookup, the audit log and the settings.

use super::catalogue;

catalogue! {
    you_are_here = "You are here" | "Vous êtes ici";
    need_attention #count = "{count} run needs attention", "{count} runs need attention" | "{count} exécution demande votre attention", "{count} exécutions demandent votre attention";

    // Home
    home_lead(project, zone) = "{project} · times in {zone}" | "{project} · heures de {zone}";
    all_well = "Everything that was due has been delivered" | "Tout ce qui était prévu a été livré";
    all_well_next(segment, when) = "Next is {segment}, {when}." | "Ensuite {segment}, {when}.";
    all_well_no_next = "Nothing is scheduled." | "Rien n’est planifié.";
    files_late #count = "{count} file is late", "{count} files are late" | "{count} fichier est en retard", "{count} fichiers sont en retard";
    more_late #count = "And {count} more.", "And {count} more." | "Et {count} autre.", "Et {count} autres.";
    runs_under_way #count = "{count} run is under way", "{count} runs are under way" | "{count} exécution est en cours", "{count} exécutions sont en cours";
    runs_waiting #count = "{count} run waits for its turn", "{count} runs wait for their turn" | "{count} exécution attend son tour", "{count} exécutions attendent leur tour";
    alert_failed(segment) = "{segment} was not delivered" | "{segment} n’a pas été livré";
    alert_blocked(segment) = "{segment} is stopped and waits for you" | "{segment} est arrêté et vous attend";
    alert_late(segment) = "{segment} is late" | "{segment} est en retard";
    alert_retrying(segment) = "{segment} was not delivered yet, and is tried again by itself" | "{segment} n’est pas encore livré, et est réessayé automatiquement";
    alert_again(when) = "next attempt {when}" | "prochaine tentative {when}";
    alert_slot(activation, when) = "{activation}, due {when}" | "{activation}, prévu {when}";
    look = "Look" | "Voir";
    delivered_today = "Rows delivered today" | "Lignes livrées aujourd’hui";
    files_today = "Files today" | "Fichiers aujourd’hui";
    on_time = "Delivered, last 30 days" | "Livrées, 30 derniers jours";
    on_time_of(good, all) = "{good} of {all} runs" | "{good} exécutions sur {all}";
    next_up = "Next up" | "À venir";
    rows_over_time = "Rows delivered, last 30 days" | "Lignes livrées, 30 derniers jours";
    day_told(rows, files) = "{rows} in {files}" | "{rows} en {files}";
    day_failed #count = "{count} run failed", "{count} runs failed" | "{count} exécution échouée", "{count} exécutions échouées";
    legend_delivered = "Delivered" | "Livré";
    legend_failures = "Day with a failed run" | "Jour avec une exécution échouée";
    recent_runs = "Recent runs" | "Exécutions récentes";
    nothing_scheduled = "Nothing is scheduled. An activation with a schedule shows its next times here." | "Rien n’est planifié. Une activation planifiée affiche ici ses prochaines échéances.";
    first_title = "Nothing has been sent yet" | "Rien n’a encore été envoyé";
    first_text = "Connect a bucket, choose segments, and Segue delivers their members as files." | "Connectez un bucket, choisissez des segments, et Segue livre leurs membres en fichiers.";
    to_destinations = "To the destinations" | "Vers les destinations";
    to_activations = "To the activations" | "Vers les activations";

    // Profile lookup
    profile_lead = "Find one person by an identity: what is known, in which segments, and where the data went." | "Trouvez une personne par une identité\u{a0}: ce qui est connu, dans quels segments, et où sont allées ses données.";
    namespace = "Kind of identity" | "Type d’identité";
    any_namespace = "Choose…" | "Choisir…";
    identity = "Identity" | "Identité";
    identity_hint = "Exactly as it stands in your data. It is not kept." | "Exactement comme dans vos données. Elle n’est pas conservée.";
    look_up = "Look up" | "Chercher";
    masked = "Values are masked" | "Les valeurs sont masquées";
    masked_hint = "Letters and digits are hidden. Showing them needs the right to, and is written to the audit log." | "Les lettres et les chiffres sont cachés. Les afficher demande un droit, et est inscrit au journal d’audit.";
    profile_fields = "Fields" | "Champs";
    field_origin = "From" | "Provient de";
    memberships = "Segments" | "Segments";
    not_a_member = "Not a member" | "Pas membre";
    is_member = "Member" | "Membre";
    profile_missing = "Nobody has this identity" | "Personne n’a cette identité";
    profile_missing_text = "Compare it with your data, letter by letter: it is looked for exactly as written." | "Comparez-la à vos données, lettre par lettre\u{a0}: elle est cherchée exactement comme écrite.";
    sent_to = "Files this person’s data went out in" | "Fichiers partis avec des données de cette personne";
    sent_to_empty = "No recorded file has data of this person." | "Aucun fichier relevé ne contient de données de cette personne.";
    datasets_of(names) = "Merged from {names}" | "Fusionné depuis {names}";

    // Audit
    audit_lead = "Who did what, when. Entries are chained: a changed or missing one is noticed." | "Qui a fait quoi, et quand. Les entrées sont chaînées\u{a0}: une entrée modifiée ou manquante se voit.";
    audit_intact = "The entries shown follow from each other" | "Les entrées affichées s’enchaînent";
    audit_broken = "The chain is broken" | "La chaîne est rompue";
    audit_broken_text(entry) = "Entry {entry} does not follow from the one before it. Compare with a backup before you rely on what stands here." | "L’entrée {entry} ne découle pas de la précédente. Comparez à une sauvegarde avant de vous fier à ce qui suit.";
    audit_empty = "Nothing has been done yet." | "Rien n’a encore été fait.";
    who = "Who" | "Qui";
    what = "What" | "Quoi";
    about = "About" | "Objet";
    when = "When" | "Quand";
    outcome = "Result" | "Résultat";
    allowed = "Done" | "Fait";
    unfinished = "Not finished" | "Inachevé";
    refused = "Refused" | "Refusé";

    // Settings
    settings_lead = "Who may use this server, and how." | "Qui peut utiliser ce serveur, et comment.";
    users = "Users" | "Utilisateurs";
    role = "Role" | "Rôle";
    roles = "Roles" | "Rôles";
    roles_fixed = "The six roles are fixed: every page and every route of the API is held to this one table. What you choose is who has which." | "Les six rôles sont fixes\u{a0}: chaque page et chaque route de l’API s’en tient à ce seul tableau. Vous choisissez qui a lequel.";
    right_read = "See" | "Voir";
    right_analyse = "Count and look up" | "Compter et rechercher";
    right_unmask = "See real values" | "Voir les vraies valeurs";
    right_define = "Make segments" | "Créer des segments";
    right_operate = "Activate and run" | "Activer et lancer";
    right_connect = "Connect" | "Connecter";
    right_audit = "Audit" | "Auditer";
    right_administer = "Administer" | "Administrer";
    is_allowed = "Allowed" | "Autorisé";
    held_by = "Held by" | "Attribué à";
    nobody = "Nobody" | "Personne";
    tokens_held #count = "{count} token", "{count} tokens" | "{count} jeton", "{count} jetons";
    becomes = "New role" | "Nouveau rôle";
    change_role = "Change the role" | "Changer le rôle";
    change_role_text = "The password stays; the user is signed out everywhere." | "Le mot de passe ne change pas\u{a0}; l’utilisateur est déconnecté partout.";
    created = "Created" | "Création";
    expires = "Expires" | "Expiration";
    tokens = "API tokens" | "Jetons d’API";
    tokens_empty = "No token yet. Scripts use one to call the API without a password." | "Pas encore de jeton. Les scripts s’en servent pour appeler l’API sans mot de passe.";
    users_empty = "No user yet." | "Pas encore d’utilisateur.";
    server = "Server" | "Serveur";
    state_folder = "State folder" | "Dossier d’état";
    project_file = "Project file" | "Fichier du projet";
    time_zone = "Time zone" | "Fuseau horaire";
    role_viewer = "Viewer" | "Lecture";
    role_analyst = "Analyst" | "Analyste";
    role_operator = "Operator" | "Exploitation";
    role_destination_admin = "Destination administrator" | "Administration des destinations";
    role_privacy = "Privacy officer" | "Protection des données";
    role_admin = "Administrator" | "Administration";
    role_viewer_may = "See runs, activations, segments and destinations, no profile values" | "Voir exécutions, activations, segments et destinations, sans valeurs de profils";
    role_analyst_may = "Also write segments, count and preview them" | "Écrire aussi des segments, les compter et les prévisualiser";
    role_operator_may = "Also run, retry, release and reject, enable and pause" | "Lancer, relancer, libérer et rejeter aussi, activer et mettre en pause";
    role_destination_admin_may = "Also change accounts and destinations, and check them" | "Modifier aussi comptes et destinations, et les vérifier";
    role_privacy_may = "Look up people, see where data went, read the audit log" | "Rechercher des personnes, voir où sont allées les données, lire le journal d’audit";
    role_admin_may = "Everything, users and tokens included" | "Tout, y compris les utilisateurs et les jetons";
}
