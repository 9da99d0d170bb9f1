//! Words of what people do in the pages, and of what came of it.

use super::catalogue;

catalogue! {
    // What was done
    said_run_asked = "It is on its way: the run begins as soon as there is room" | "C’est parti\u{a0}: l’exécution commence dès qu’il y a de la place";
    said_paused = "Paused. Slots that come due are skipped until you enable it again" | "En pause. Les échéances sont omises jusqu’à la réactivation";
    said_enabled = "Enabled. Slots that come due are delivered again" | "Activée. Les échéances sont de nouveau livrées";
    said_user_added = "The user can sign in now" | "L’utilisateur peut se connecter";
    said_user_changed = "The user is changed, and signed out everywhere" | "L’utilisateur est modifié, et déconnecté partout";
    said_user_removed = "The user is removed, and signed out everywhere" | "L’utilisateur est supprimé, et déconnecté partout";
    said_token_revoked = "The token is revoked: nothing can use it any more" | "Le jeton est révoqué\u{a0}: plus rien ne peut s’en servir";
    said_token_shown = "This form made its token before, and no second one. Its text was shown once: if nobody has it, revoke it and create another" | "Ce formulaire a déjà créé son jeton, et pas de second. Son texte n’a été montré qu’une fois\u{a0}: si personne ne l’a, révoquez-le et créez-en un autre";
    said_signed_out = "You are signed out" | "Vous êtes déconnecté";
    said_saved = "Saved" | "Enregistré";
    said_rejected = "Rejected: nothing of it is sent" | "Rejetée\u{a0}: rien n’en est envoyé";
    said_removed = "Removed" | "Supprimé";

    // Why something was not done
    problem_old_form = "This form is too old, so nothing was done" | "Ce formulaire est trop ancien, rien n’a été fait";
    problem_gone = "It is not there any more" | "Cela n’existe plus";
    problem_conflict = "It stands in the way of something else" | "Cela se heurte à autre chose";
    problem_paused = "The activation is paused" | "L’activation est en pause";
    problem_value = "Something in the form does not fit" | "Quelque chose ne convient pas dans le formulaire";
    problem_too_many = "Too much at once" | "Trop à la fois";
    problem_project = "The project cannot be used as it is" | "Le projet ne peut pas être utilisé tel quel";
    problem_later = "It may work later" | "Cela marchera peut-être plus tard";
    problem_internal = "A fault of Segue: the log of the server says where" | "Une faute de Segue\u{a0}: le journal du serveur dit où";
    problem_other = "It was not done" | "Cela n’a pas été fait";

    // Settings
    actions_head = "Actions" | "Actions";
    add_user = "Add a user" | "Ajouter un utilisateur";
    add_user_text = "They sign in with this name and password, and can do what the role allows." | "Il se connecte avec ce nom et ce mot de passe, et peut ce que le rôle permet.";
    change = "Change" | "Modifier";
    change_user_title(name) = "Change {name}" | "Modifier {name}";
    change_user_text = "The user is signed out everywhere." | "L’utilisateur est déconnecté partout.";
    new_password_hint = "At least 12 characters. Left empty, the password stays." | "Au moins 12 caractères. Laissé vide, le mot de passe ne change pas.";
    remove = "Remove" | "Supprimer";
    remove_title(name) = "Remove {name}?" | "Supprimer {name}\u{a0}?";
    remove_user_text = "The user is signed out everywhere and cannot come back. What they did stays in the audit log." | "L’utilisateur est déconnecté partout et ne peut revenir. Ce qu’il a fait reste dans le journal d’audit.";
    save = "Save" | "Enregistrer";
    add_token = "Create a token" | "Créer un jeton";
    add_token_text = "A program sends it with every request. It is shown once, so have the place ready where it is kept." | "Un programme l’envoie avec chaque requête. Il n’est montré qu’une fois\u{a0}: préparez l’endroit où le garder.";
    token_name = "What it is for" | "À quoi il sert";
    token_days = "Lives for" | "Durée de vie";
    days #count = "{count} day", "{count} days" | "{count} jour", "{count} jours";
    token_made = "Copy the token now: it is not shown again" | "Copiez le jeton maintenant\u{a0}: il ne sera plus montré";
    the_token = "the token" | "le jeton";
    revoke = "Revoke" | "Révoquer";
    revoke_title(name) = "Revoke {name}?" | "Révoquer {name}\u{a0}?";
    revoke_text = "Whatever uses it is refused from now on." | "Ce qui s’en sert est refusé dès maintenant.";
    last_used = "Last used" | "Dernier usage";
    secrets = "Secrets" | "Secrets";
    secrets_empty = "No secret is kept." | "Aucun secret n’est gardé.";
    add_secret = "Add a secret" | "Ajouter un secret";
    add_secret_text = "Definitions refer to it by its name. Nobody can read it here again." | "Les définitions s’y réfèrent par son nom. Personne ne peut plus le lire ici.";
    replace_secret_text = "What uses it has the new one from the next run on." | "Ce qui s’en sert a le nouveau dès la prochaine exécution.";
    remove_secret_text = "What the project refers to is not removed." | "Ce dont le projet se sert n’est pas supprimé.";
    webhook_to = "Posted, signed, to" | "Envoyées, signées, à";
    mail_to = "By mail to" | "Par courriel à";
    mail_on = "Alerts go by mail, as the server was started." | "Les alertes partent par courriel, comme le serveur a été démarré.";
    told_nowhere = "Alerts are listed here only." | "Les alertes sont listées ici seulement.";
    channels_title = "Where alerts are told" | "Où les alertes sont envoyées";
    channels_text = "Leave a channel empty to end it. Alerts hold names and counts, never a value of a profile." | "Laissez un canal vide pour l’arrêter. Les alertes portent des noms et des nombres, jamais une valeur de profil.";
    webhook_url = "Webhook address" | "Adresse du webhook";
    webhook_url_hint = "https://hooks.example.com/segue" | "https://hooks.example.com/segue";
    webhook_secret = "Secret that signs posts" | "Secret qui signe les envois";
    webhook_secret_hint = "At least 16 characters." | "Au moins 16 caractères.";
    secret_stays = "Left empty, it stays as it is." | "Laissé vide, il reste tel quel.";
    mail_recipients = "Mail to" | "Courriel à";
    mail_recipients_hint = "Addresses with commas between." | "Des adresses séparées par des virgules.";
    mail_sender = "Mail from" | "Courriel de";
    mail_server = "Mail server" | "Serveur de courriel";
    mail_server_hint = "smtps://alerts@mail.example.com" | "smtps://alerts@mail.example.com";
    said_channels_set = "Alerts are told there from now on" | "Les alertes y sont envoyées dès maintenant";
    said_put_back = "Made again, the same byte by byte, and back where the files were delivered" | "Refaits, identiques octet par octet, et remis là où les fichiers ont été livrés";
    said_still_there = "Made again, and the same byte by byte. Nothing was written: the files are where they were delivered" | "Refaits, et identiques octet par octet. Rien n’a été écrit\u{a0}: les fichiers sont là où ils ont été livrés";
    secrets_hint = "Kept encrypted. Nobody can read them here." | "Gardés chiffrés. Personne ne peut les lire ici.";
    set_when = "Set" | "Défini";
    alert_channels = "Alerts" | "Alertes";
    webhook_on = "Alerts are posted, signed, to the webhook of this server." | "Les alertes sont envoyées, signées, au webhook de ce serveur.";
    alerts_empty = "Nothing needed telling yet." | "Rien à signaler jusqu’ici.";
    alert_sent = "Sent" | "Envoyée";
    alert_waiting = "Not sent yet" | "Pas encore envoyée";
    alert_kept = "Listed here only" | "Listée ici seulement";
    kind_started = "Started" | "Commencée";
    kind_missing = "Expected file did not come" | "Fichier attendu non arrivé";
    kind_collapsed = "Collapsed" | "Effondré";
    kind_exploded = "Exploded" | "Explosé";
    kind_exclusion_rate = "Many left out" | "Beaucoup d’exclus";
    alert_kind = "Alert" | "Alerte";
    alert_posting = "Posted" | "Envoi";
    last_alerts = "Latest alerts" | "Dernières alertes";
    api_reference = "API reference" | "Référence de l’API";

    // Profile lookup
    show_values = "Show real values" | "Montrer les vraies valeurs";
    show_values_hint = "This is written to the audit log with your name." | "C’est inscrit au journal d’audit avec votre nom.";
    values_shown = "Real values are shown, and that is in the audit log" | "Les vraies valeurs sont montrées, et c’est dans le journal d’audit";
    values_shown_hint = "Close this page when you are done." | "Fermez cette page quand vous avez terminé.";
    sent_recorded_since(when) = "Exact for each run delivered since {when}." | "Exact pour chaque exécution livrée depuis {when}.";
    sent_kept #days = "Records are kept for {days} day." , "Records are kept for {days} days." | "Les relevés sont gardés {days} jour.", "Les relevés sont gardés {days} jours.";
    sent_columns(columns) = "Columns: {columns}" | "Colonnes\u{a0}: {columns}";
    object_version = "Version" | "Version";
    sent_not_known = "Not known whether this run sent data of the person" | "On ignore si cette exécution a envoyé des données de la personne";
    record_expired = "Its record is older than records are kept." | "Son relevé est plus ancien que la durée de conservation.";
    record_missing = "It has no record." | "Elle n’a pas de relevé.";
    record_damaged = "Its record is damaged." | "Son relevé est endommagé.";
    record_nameless #rows = "{rows} of its rows does not tell whose it is." , "{rows} of its rows do not tell whose they are." | "{rows} de ses lignes ne dit pas de qui elle parle.", "{rows} de ses lignes ne disent pas de qui elles parlent.";
    older_files = "Older files" | "Fichiers plus anciens";
    segments_not_asked #count = "{count} more segment was not asked" , "{count} more segments were not asked" | "{count} autre segment n’a pas été interrogé", "{count} autres segments n’ont pas été interrogés";

    // Trying a rule
    try_rule = "Try a rule" | "Essayer une règle";
    try_rule_lead = "Write a rule and see at once who is in it. Nothing is saved and nothing is sent." | "Écrivez une règle et voyez tout de suite qui s’y trouve. Rien n’est enregistré ni envoyé.";
    try_this_rule = "Try changes" | "Essayer des changements";
    rule_language = "Language" | "Langage";
    rule_text = "Rule" | "Règle";
    rule_hint = "Fields by their path, for example loyalty.points >= 1000 AND homeAddress.country = 'FR'. Ctrl-Space completes a field." | "Les champs par leur chemin, par exemple loyalty.points >= 1000 AND homeAddress.country = 'FR'. Ctrl-Espace complète un champ.";
    try_now = "Count" | "Compter";
    rule_wrong = "The rule is not valid" | "La règle n’est pas valide";
    rule_at(line, column) = "Line {line}, column {column}" | "Ligne {line}, colonne {column}";
    counting_members = "Counting exactly who is in it…" | "Comptage exact de qui en fait partie…";
    rule_empty = "Write a rule to see who is in it" | "Écrivez une règle pour voir qui s’y trouve";
    all_fields = "Fields" | "Champs";
    find_field = "Find a field" | "Trouver un champ";
    of_all = "Share of all profiles" | "Part de tous les profils";

    go_on = "Go on" | "Continuer";

    // Waiting runs
    waiting_title = "It waits for its turn" | "Elle attend son tour";
    waiting_text = "It begins as soon as one of the runs that go on now is over." | "Elle commence dès que l’une des exécutions en cours se termine.";
    waiting_behind_title = "It waits for the run before it" | "Elle attend l’exécution précédente";
    waiting_behind(due) = "Runs of one segment go one after the other: it begins when the run that was due {due} is over." | "Les exécutions d’un segment se suivent\u{a0}: elle commence quand celle qui était prévue {due} est terminée.";
    waiting_behind_held(due) = "Runs of one segment go one after the other: it begins when somebody has released or rejected the run that was due {due}." | "Les exécutions d’un segment se suivent\u{a0}: elle commence quand quelqu’un a libéré ou rejeté celle qui était prévue {due}.";
    waiting_behind_open = "Open that run" | "Ouvrir cette exécution";
    not_begun = "It has not begun" | "Elle n’a pas commencé";
    waiting_for(what) = "It {what}." | "Elle {what}.";
    page_follows = "This page follows it." | "Cette page la suit.";
}
