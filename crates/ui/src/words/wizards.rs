//! Words of the two wizards: connecting a destination, and activating segments.

use super::catalogue;

catalogue! {
    // Both
    next_step = "Next" | "Suivant";
    back = "Back" | "Retour";
    discard_draft = "Discard" | "Abandonner";
    draft_kept = "What you filled in is kept: leave and come back whenever you like." | "Ce que vous avez saisi est gardé\u{a0}: partez et revenez quand vous voulez.";
    draft_wrong = "This does not work yet" | "Cela ne marche pas encore";
    step_review = "Review" | "Vérification";
    first_lines = "First lines, as they would be written" | "Premières lignes, telles qu’elles seraient écrites";
    goes_to = "Goes to" | "Destination des fichiers";
    replaces_itself = "Replaces itself" | "Se remplace";
    none_set = "None" | "Aucun";

    // Connect
    connect = "Connect a destination" | "Connecter une destination";
    connect_title = "Connect a destination" | "Connecter une destination";
    connect_lead = "An account, a bucket, a format. At the end every permission is tried, and what is missing is named." | "Un compte, un bucket, un format. À la fin chaque permission est essayée, et ce qui manque est nommé.";
    connect_how = "What you need" | "Ce qu’il vous faut";
    connect_how_text = "The name of a bucket and a key or a role that may write there. You do not need all permissions yet: the smallest policy is printed when you are done, ready to paste." | "Le nom d’un bucket et une clé ou un rôle qui peut y écrire. Toutes les permissions ne sont pas encore nécessaires\u{a0}: la plus petite politique est affichée à la fin, prête à coller.";
    connect_and_check = "Connect and check" | "Connecter et vérifier";
    connect_review = "Connecting saves the account and the destination, then tries every permission. Nothing is sent." | "La connexion enregistre le compte et la destination, puis essaie chaque permission. Rien n’est envoyé.";
    new_account = "A new account" | "Un nouveau compte";
    access_key_id = "Access key id" | "Identifiant de clé d’accès";
    secret_key = "Secret access key" | "Clé d’accès secrète";
    secret_hint = "Kept encrypted, and never shown again." | "Gardée chiffrée, et jamais montrée à nouveau.";
    secret_kept = "It is kept, encrypted. Write another one to replace it." | "Elle est gardée, chiffrée. Saisissez-en une autre pour la remplacer.";
    secret_no_key = "This server has no master key yet, so it cannot keep a secret: start it with SEGUE_MASTER_KEY_FILE, or sign in with a role." | "Ce serveur n’a pas encore de clé maîtresse et ne peut garder de secret\u{a0}: démarrez-le avec SEGUE_MASTER_KEY_FILE, ou utilisez un rôle.";
    role_arn = "Role" | "Rôle";
    role_hint = "arn:aws:iam::123456789012:role/segue. Its trust policy and external id are beside, ready to copy." | "arn:aws:iam::123456789012:role/segue. Sa politique de confiance et son identifiant externe sont à côté, prêts à copier.";
    chain_hint = "Environment, profiles, web identity, ECS, EC2: what this machine has." | "Environnement, profils, identité web, ECS, EC2\u{a0}: ce qu’a cette machine.";
    endpoint = "Endpoint" | "Point d’accès";
    region_hint = "Left empty, it is found out where the service tells." | "Laissée vide, elle est trouvée si le service l’indique.";
    step_place = "Bucket and folder" | "Bucket et dossier";
    destination_name_hint = "As your colleagues know it: Partner, Agency." | "Comme vos collègues la connaissent\u{a0}: Partenaire, Agence.";
    folder_hint = "May hold macros: crm/%SEGMENT_NAME%/%DATETIME(yyyy-MM-dd)%" | "Peut contenir des macros\u{a0}: crm/%SEGMENT_NAME%/%DATETIME(yyyy-MM-dd)%";
    encryption = "Encryption by the service" | "Chiffrement par le service";
    kms_key = "KMS key" | "Clé KMS";
    trust_policy_hint = "Paste it as the trust policy of the role, in AWS. The principal is whoever signs here." | "À coller comme politique de confiance du rôle, dans AWS. Le principal est qui signe ici.";
    pgp_keys = "PGP keys of the recipients" | "Clés PGP des destinataires";
    pgp_hint = "Public keys, one behind the other. Files are then encrypted for each of them before they leave. Empty: not encrypted." | "Clés publiques, l’une après l’autre. Les fichiers sont alors chiffrés pour chacune avant de partir. Vide\u{a0}: sans chiffrement.";
    pgp_on = "Encrypted before they leave" | "Chiffrés avant de partir";
    marketing_actions = "Marketing actions" | "Actions marketing";
    actions_hint = "What the files are used for, with commas between: emailing, ads. Consent goes by it." | "À quoi servent les fichiers, séparés par des virgules\u{a0}: emailing, publicité. Le consentement en dépend.";
    manifest_hint = "A list of the files with rows and checksums, published last." | "Une liste des fichiers avec lignes et sommes de contrôle, publiée en dernier.";
    delimiter = "Delimiter" | "Séparateur";
    quoting = "Quotes" | "Guillemets";
    quoting_minimal = "Where they are needed" | "Là où il en faut";
    quoting_all = "Around every value" | "Autour de chaque valeur";
    line_end = "Line end" | "Fin de ligne";
    encoding = "Encoding" | "Encodage";
    header_line = "Names of columns in the first line" | "Noms des colonnes en première ligne";

    // Activate
    activate = "Activate segments" | "Activer des segments";
    activate_title = "Activate segments" | "Activer des segments";
    activate_lead = "Which segments go where, when, and with which columns." | "Quels segments vont où, quand, et avec quelles colonnes.";
    activate_how = "How it goes on" | "La suite";
    activate_how_text = "Next come the schedule and the file names, then the columns. Before anything is saved you see exactly how many rows each segment comes to." | "Viennent ensuite la planification et les noms de fichiers, puis les colonnes. Avant tout enregistrement vous voyez combien de lignes exactement donne chaque segment.";
    finish = "Finish" | "Terminer";
    find_segment = "Find a segment" | "Trouver un segment";
    never_sent = "Never sent" | "Jamais envoyé";
    activation_key_hint = "Letters, digits and hyphens: partner-daily. Left empty, it is made from the destination." | "Lettres, chiffres et tirets\u{a0}: partenaire-quotidien. Laissée vide, elle est tirée de la destination.";
    freq_hourly = "Every hour" | "Chaque heure";
    freq_daily = "Every day" | "Chaque jour";
    freq_weekly = "Every week" | "Chaque semaine";
    freq_monthly = "Every month" | "Chaque mois";
    freq_once = "Once" | "Une fois";
    freq_cron = "By cron" | "Selon cron";
    cron_expression = "Cron expression" | "Expression cron";
    every_hours_label = "Hours between" | "Heures entre deux";
    starting_time = "From" | "Depuis";
    on_day = "On" | "Le";
    first_day = "First day" | "Premier jour";
    first_day_weekly = "First day, gives the weekday" | "Premier jour, donne le jour de semaine";
    first_day_monthly = "First day, gives the day of the month" | "Premier jour, donne le jour du mois";
    last_day = "Last day" | "Dernier jour";
    macros = "Macros" | "Macros";
    at_most_rows = "Stop above so many rows" | "Arrêter au-dessus de tant de lignes";
    shrinks_by = "Stop if it shrinks by more than, %" | "Arrêter si baisse de plus de, %";
    grows_by = "Stop if it grows by more than, %" | "Arrêter si hausse de plus de, %";
    guards_hint = "A run that a guard stops shows nothing and waits for a person." | "Une exécution arrêtée par un garde-fou ne montre rien et attend une personne.";
    how_often = "How often" | "Fréquence";
    at_time = "At" | "À";
    file_name = "File name" | "Nom du fichier";
    file_name_hint = "Macros stand between percent signs. Without a time each file replaces the one before." | "Les macros sont entre signes pour cent. Sans heure, chaque fichier remplace le précédent.";
    for_all = "For all segments" | "Pour tous les segments";
    same_for_all = "Make all like the first" | "Tous comme le premier";
    for_several = "For several segments at once" | "Pour plusieurs segments à la fois";
    bulk_hint = "Tick segments, fill in what should be the same for them, and apply it. What is left empty stays as it is." | "Cochez des segments, saisissez ce qui doit leur être commun, et appliquez. Ce qui reste vide ne change pas.";
    as_it_is = "As it is" | "Tel quel";
    choose_all = "Tick all" | "Tout cocher";
    choose_none = "Tick none" | "Tout décocher";
    apply_to_chosen = "Apply to the ticked segments" | "Appliquer aux segments cochés";
    at_least_rows = "Stop below so many rows" | "Arrêter sous tant de lignes";
    rule_none = "None" | "Aucune";
    rule_both = "Mandatory and unique" | "Obligatoire et unique";
    move_up = "Move up" | "Monter";
    move_down = "Move down" | "Descendre";
    source_hint = "A source is the path of a field, or an expression behind an equals sign: = points / 100. Drag rows, or use the arrows." | "Une source est le chemin d’un champ, ou une expression après un signe égal\u{a0}: = points / 100. Faites glisser les lignes, ou utilisez les flèches.";
    would_be_sent(segment) = "What would be sent of {segment}" | "Ce qui serait envoyé de {segment}";
    rows_sent = "Rows sent" | "Lignes envoyées";
    warn_static = "A file name has no time: each file replaces the one before, and nobody can go back" | "Un nom de fichier n’a pas d’heure\u{a0}: chaque fichier remplace le précédent, sans retour possible";
    warn_no_identity = "No column identifies a person: whoever loads the file cannot tell people apart" | "Aucune colonne n’identifie une personne\u{a0}: qui charge le fichier ne peut distinguer les personnes";
    warn_no_guard = "No guard is set: a segment that collapses is sent all the same" | "Aucun garde-fou\u{a0}: un segment qui s’effondre est envoyé tout de même";
}
