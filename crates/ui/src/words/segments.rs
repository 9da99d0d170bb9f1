//! Words of the list of segments and of one segment.

use super::catalogue;

catalogue! {
    segments_lead = "Rules over profiles. Their members are what is sent." | "Des règles sur les profils. Leurs membres sont ce qui est envoyé.";
    segments_empty = "No segment yet" | "Pas encore de segment";
    segments_empty_how = "A segment is a rule such as loyalty.points >= 1000. Write one, and see at once who is in it." | "Un segment est une règle telle que loyalty.points >= 1000. Écrivez-en une, et voyez aussitôt qui s’y trouve.";
    segments_empty_text = "A segment is a rule such as loyalty.points >= 1000. Add one to segue.yaml." | "Un segment est une règle telle que loyalty.points >= 1000. Ajoutez-en un à segue.yaml.";
    members_last = "Members, last run" | "Membres, dernière exécution";
    trend = "Size over time" | "Taille dans le temps";
    trend_of(segment) = "Members of {segment} in the last runs" | "Membres de {segment} lors des dernières exécutions";
    change_head = "Change" | "Évolution";
    used_in = "Used in" | "Utilisé dans";
    not_used = "Not sent anywhere" | "Envoyé nulle part";
    rule = "Rule" | "Règle";
    written_in = "Written in" | "Écrite en";
    count_now = "Count now" | "Compter maintenant";
    exact_count = "Exact count" | "Nombre exact";
    of_profiles(share, profiles) = "{share} of {profiles}" | "{share} de {profiles}";
    sample = "Sample of members" | "Échantillon de membres";
    sample_hint = "Rows as they would be sent, masked." | "Les lignes telles qu’elles seraient envoyées, masquées.";
    sample_empty = "There is no member." | "Il n’y a aucun membre.";
    members_chart = "Members at each delivery" | "Membres à chaque livraison";
    no_history = "No delivery yet, so there is no history." | "Pas encore de livraison, donc pas d’historique.";
    since_before = "since the delivery before" | "depuis la livraison précédente";
    segment_id = "Segment id" | "Identifiant du segment";
}
