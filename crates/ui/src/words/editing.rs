//! Words of changing what the server keeps.

use super::catalogue;

catalogue! {
    edit = "Edit" | "Modifier";
    edit_title(name) = "Edit {name}" | "Modifier {name}";
    remove_object_text = "What was delivered stays where it is, and stays in the list of runs. Nothing new is sent." | "Ce qui a été livré reste en place, et dans la liste des exécutions. Rien de nouveau n’est envoyé.";
    save_changes = "Save changes" | "Enregistrer les changements";
    new_segment = "New segment" | "Nouveau segment";
    save_segment = "Save as a segment" | "Enregistrer comme segment";
    segment_name_hint = "As your colleagues know it: Loyal customers." | "Comme vos collègues le connaissent\u{a0}: Clients fidèles.";
    segment_key_hint = "Letters, digits and hyphens. Left empty, it is made from the name." | "Lettres, chiffres et tirets. Laissée vide, elle est tirée du nom.";
    edit_segment_lead = "Change the rule and see at once who is in it. Nothing is saved before you say so." | "Changez la règle et voyez tout de suite qui s’y trouve. Rien n’est enregistré avant que vous le demandiez.";

    // Two people at once
    changed_meanwhile(name) = "{name} was changed meanwhile" | "{name} a été modifié entre-temps";
    changed_by(who) = "By {who}" | "Par {who}";
    nothing_is_lost = "Nothing is saved yet, and nothing of yours is lost" | "Rien n’est encore enregistré, et rien de vous n’est perdu";
    nothing_is_lost_text = "Both versions are below. Save yours over the other, go on editing yours, or keep the other." | "Les deux versions sont ci-dessous. Enregistrez la vôtre par-dessus l’autre, continuez la vôtre, ou gardez l’autre.";
    what_differs = "What differs" | "Ce qui diffère";
    nothing_differs = "Both say the same." | "Les deux disent la même chose.";
    member = "Member" | "Élément";
    as_it_is_now = "As it is now" | "Tel qu’il est";
    your_version = "Your version" | "Votre version";
    not_there = "not there" | "absent";
    save_mine = "Save my version" | "Enregistrer ma version";
    go_on_editing = "Go on editing" | "Continuer à modifier";
    keep_theirs = "Keep the other" | "Garder l’autre";

    // Fields
    type_text = "text" | "texte";
    type_number = "number" | "nombre";
    type_yes_no = "yes or no" | "oui ou non";
    type_date = "date" | "date";
    type_moment = "date and time" | "date et heure";
    type_time = "time" | "heure";
    type_list = "list" | "liste";
    type_map = "map" | "table";
    has_value(share) = "{share} have a value" | "{share} ont une valeur";

    // The calendar
    calendar = "Calendar" | "Calendrier";
    calendar_of(weeks) = "What is due in the next {weeks} weeks" | "Ce qui est dû dans les {weeks} prochaines semaines";

    // Long lists
    pages_of(from, to, all) = "{from} to {to} of {all}" | "{from} à {to} sur {all}";
    page_before = "Previous" | "Précédent";
    page_behind = "Next page" | "Page suivante";
    more_waiting #count = "{count} more run waits for its turn", "{count} more runs wait for their turn" | "{count} autre exécution attend son tour", "{count} autres exécutions attendent leur tour";
    no_match = "Nothing matches" | "Rien ne correspond";
    search = "Search" | "Rechercher";
}
