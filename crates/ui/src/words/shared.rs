//! Words that several pages use: navigation, states, times, tables, forms, problems.

use super::catalogue;

catalogue! {
    // Navigation and frame
    product = "Segue" | "Segue";
    skip_to_content = "Skip to content" | "Aller au contenu";
    main_navigation = "Main navigation" | "Navigation principale";
    open_navigation = "Open the menu" | "Ouvrir le menu";
    home = "Home" | "Accueil";
    runs_title = "Runs" | "Exécutions";
    activations_title = "Activations" | "Activations";
    segments_title = "Segments" | "Segments";
    destinations_title = "Destinations" | "Destinations";
    profiles_title = "Profile lookup" | "Recherche de profil";
    audit_title = "Audit log" | "Journal d’audit";
    settings_title = "Settings" | "Réglages";
    group_send = "Send" | "Envoyer";
    group_data = "Data" | "Données";
    group_manage = "Manage" | "Gérer";
    sign_out = "Sign out" | "Se déconnecter";
    language = "Language" | "Langue";
    appearance = "Appearance" | "Apparence";
    scheme_system = "As the system" | "Comme le système";
    scheme_light = "Light" | "Clair";
    scheme_dark = "Dark" | "Sombre";
    times_in(zone) = "Times in {zone}" | "Heures de {zone}";
    version(number) = "Version {number}" | "Version {number}";

    // States of runs
    state_waiting = "Waiting" | "En attente";
    state_running = "Running" | "En cours";
    state_publishing = "Publishing" | "Publication";
    state_delivered = "Delivered" | "Livrée";
    state_skipped = "Skipped" | "Omise";
    state_failed = "Failed" | "Échouée";
    state_retrying = "To be retried" | "À réessayer";
    state_blocked = "Blocked" | "Bloquée";
    state_late = "Late" | "En retard";

    // States of things
    enabled = "Enabled" | "Active";
    disabled = "Paused" | "En pause";
    defined_in_files = "Defined in segue.yaml" | "Défini dans segue.yaml";
    defined_in_files_hint = "Change it there, and run segue plan: what stands in files is not edited here." | "Modifiez-le là, puis lancez segue plan\u{a0}: ce qui est dans les fichiers ne se modifie pas ici.";
    never = "Never" | "Jamais";
    none = "None" | "Aucun";
    yes = "Yes" | "Oui";
    no = "No" | "Non";

    // Time
    just_now = "just now" | "à l’instant";
    time_ago(duration) = "{duration} ago" | "il y a {duration}";
    time_until(duration) = "in {duration}" | "dans {duration}";
    today_at(time) = "Today, {time}" | "Aujourd’hui, {time}";
    tomorrow_at(time) = "Tomorrow, {time}" | "Demain, {time}";
    yesterday_at(time) = "Yesterday, {time}" | "Hier, {time}";
    weekdays_short = "Mon Tue Wed Thu Fri Sat Sun" | "lun. mar. mer. jeu. ven. sam. dim.";
    months_short = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec" | "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.";

    // Counts
    rows #count = "{count} row", "{count} rows" | "{count} ligne", "{count} lignes";
    files #count = "{count} file", "{count} files" | "{count} fichier", "{count} fichiers";
    profiles #count = "{count} profile", "{count} profiles" | "{count} profil", "{count} profils";
    segments #count = "{count} segment", "{count} segments" | "{count} segment", "{count} segments";
    activations #count = "{count} activation", "{count} activations" | "{count} activation", "{count} activations";
    columns #count = "{count} column", "{count} columns" | "{count} colonne", "{count} colonnes";
    attempts #count = "{count} attempt", "{count} attempts" | "{count} tentative", "{count} tentatives";

    // Column heads and facts
    activation = "Activation" | "Activation";
    segment = "Segment" | "Segment";
    destination = "Destination" | "Destination";
    status = "Status" | "État";
    rows_head = "Rows" | "Lignes";
    size = "Size" | "Taille";
    duration = "Duration" | "Durée";
    due = "Due" | "Échéance";
    name = "Name" | "Nom";
    key = "Key" | "Clé";
    schedule = "Schedule" | "Planification";
    next_run = "Next run" | "Prochaine exécution";
    last_run = "Last run" | "Dernière exécution";
    members = "Members" | "Membres";
    value = "Value" | "Valeur";
    day = "Day" | "Jour";
    details = "Details" | "Détails";

    // Actions
    copy = "Copy" | "Copier";
    copied = "Copied" | "Copié";
    copy_of(what) = "Copy {what}" | "Copier {what}";
    show_all = "Show all" | "Tout afficher";
    apply = "Apply" | "Appliquer";
    clear = "Clear" | "Effacer";
    cancel = "Cancel" | "Annuler";
    older = "Older" | "Plus anciennes";
    newest = "Newest" | "Plus récentes";
    show_as_table = "Show as a table" | "Afficher en tableau";
    what_to_do = "What to do" | "Que faire";

    // Sign-in
    sign_in = "Sign in" | "Se connecter";
    sign_in_title = "Sign in to Segue" | "Connexion à Segue";
    user_name = "User name" | "Nom d’utilisateur";
    password = "Password" | "Mot de passe";
    password_hint = "At least 12 characters; a short sentence is easy to remember." | "Au moins 12 caractères\u{a0}; une courte phrase se retient bien.";
    sign_in_refused = "This user name and password do not match." | "Ce nom d’utilisateur et ce mot de passe ne correspondent pas.";
    sign_in_refused_hint = "Look at the keyboard layout and capitals, or ask an administrator for a new password." | "Vérifiez la disposition du clavier et les majuscules, ou demandez un nouveau mot de passe à un administrateur.";
    set_up = "Create the administrator" | "Créer l’administrateur";
    set_up_title = "Welcome to Segue" | "Bienvenue dans Segue";
    set_up_lead = "Nobody can sign in yet. Create the first user, who may do everything; the others come after." | "Personne ne peut encore se connecter. Créez le premier utilisateur, qui peut tout faire\u{a0}; les autres viennent ensuite.";
    set_up_code = "Set-up code" | "Code d’installation";
    set_up_code_hint = "Segue printed it when it started. It works once, for half an hour." | "Segue l’a affiché à son démarrage. Il sert une fois, pendant une demi-heure.";
    claim = "The members of your segments, as files in your own bucket. On schedule, whole or not at all, and proven." | "Les membres de vos segments, en fichiers dans votre propre bucket. À l’heure, en entier ou pas du tout, et prouvé.";

    // Problems
    page_not_found = "There is nothing at this address" | "Il n’y a rien à cette adresse";
    page_not_found_hint = "It may have been renamed or removed. The menu leads to everything that there is." | "Cela a peut-être été renommé ou supprimé. Le menu mène à tout ce qui existe.";
    not_allowed = "Your role does not allow this" | "Votre rôle ne permet pas cela";
    not_allowed_hint = "An administrator can give you a role that does, under Settings." | "Un administrateur peut vous donner un rôle qui le permet, dans Réglages.";
    something_failed = "This page cannot be shown" | "Cette page ne peut pas être affichée";
    back_home = "To the home page" | "Vers l’accueil";
}

impl super::Lang {
    /// The short name of a weekday, Monday 0.
    pub(crate) fn weekday(self, number: usize) -> &'static str {
        self.weekdays_short().split(' ').nth(number).unwrap_or_default()
    }

    /// The short name of a month, January 0.
    pub(crate) fn month(self, number: usize) -> &'static str {
        self.months_short().split(' ').nth(number).unwrap_or_default()
    }
}
