//! Words of the list of activations and of one activation.

use super::catalogue;

catalogue! {
    activations_lead = "Which segments go where, when, and with which columns." | "Quels segments vont où, quand, et avec quelles colonnes.";
    activations_empty = "No activation yet" | "Pas encore d’activation";
    activations_empty_how = "An activation sends segments to a destination on a schedule. Four steps make one, and before the last you see what would be sent." | "Une activation envoie des segments vers une destination selon une planification. Quatre étapes suffisent, et avant la dernière vous voyez ce qui serait envoyé.";
    activations_empty_text = "An activation sends segments to a destination on a schedule. Add one to segue.yaml." | "Une activation envoie des segments vers une destination selon une planification. Ajoutez-en une à segue.yaml.";
    activation_lead(destination) = "To {destination}" | "Vers {destination}";
    run_now = "Run now" | "Lancer maintenant";
    run_now_title(activation) = "Run {activation} now?" | "Lancer {activation} maintenant\u{a0}?";
    run_now_text = "Its segments are sent as they are now, for the current moment. Its schedule stays as it is." | "Ses segments sont envoyés tels qu’ils sont maintenant, pour l’instant présent. Sa planification ne change pas.";
    pause = "Pause" | "Mettre en pause";
    pause_title(activation) = "Pause {activation}?" | "Mettre {activation} en pause\u{a0}?";
    pause_text = "Slots that come due are skipped, and listed as skipped, until it is enabled again." | "Les échéances sont omises, et listées comme telles, jusqu’à ce qu’elle soit réactivée.";
    enable = "Enable" | "Activer";
    enable_text = "Slots that come due are delivered again." | "Les échéances sont de nouveau livrées.";
    segments_sent = "Segments sent" | "Segments envoyés";
    next_file = "Next file" | "Prochain fichier";
    next_slots = "Next slots" | "Prochaines échéances";
    utc_time = "UTC" | "UTC";
    clock_change = "Clocks change" | "Changement d’heure";
    open_slots = "Not over yet" | "Pas encore terminé";
    waits_slot(slot) = "waits for the slot {slot}, which is not over" | "attend l’échéance {slot}, qui n’est pas terminée";
    waits_held_slot(slot) = "waits for the slot {slot}, until somebody releases or rejects its run" | "attend l’échéance {slot}, jusqu’à ce que quelqu’un libère ou rejette son exécution";
    waits_decision = "waits until somebody releases or rejects its run" | "attend que quelqu’un libère ou rejette son exécution";
    waits_time(time) = "waits for its next attempt, {time}" | "attend sa prochaine tentative, {time}";
    waits_turn = "waits for its turn among the runs that may go on at once" | "attend son tour parmi les exécutions simultanées";
    waits_pause = "waits until the activation is enabled" | "attend que l’activation soit réactivée";
    waits_evaluation = "waits for an evaluation of the segment" | "attend une évaluation du segment";
    paused_slots = "Paused: slots that come due are skipped until it is enabled." | "En pause\u{a0}: les échéances sont omises jusqu’à ce qu’elle soit réactivée.";
    evaluated_slots = "Sent when a segment is evaluated; no evaluation is scheduled." | "Envoyé quand un segment est évalué\u{a0}; aucune évaluation n’est planifiée.";
    no_next_slot = "No slot is due any more." | "Plus aucune échéance.";
    mapping = "Columns" | "Colonnes";
    column = "Column" | "Colonne";
    source = "From" | "Depuis";
    marks = "Rules" | "Règles";
    mandatory = "Mandatory" | "Obligatoire";
    deduplicated = "Unique" | "Unique";
    expression = "Expression" | "Expression";
    membership_status = "Membership status" | "État d’appartenance";
    membership_operation = "What changed" | "Ce qui a changé";
    membership_since = "Member since" | "Membre depuis";
    guards = "Guards" | "Garde-fous";
    guard_none = "No guard is set: a segment that collapses or explodes is sent all the same." | "Aucun garde-fou\u{a0}: un segment qui s’effondre ou explose est envoyé tout de même.";
    guard_min(rows) = "At least {rows}" | "Au moins {rows}";
    guard_max(rows) = "At most {rows}" | "Au plus {rows}";
    guard_shrink(share) = "Shrinks by no more than {share}" | "Ne rétrécit pas de plus de {share}";
    guard_growth(share) = "Grows by no more than {share}" | "Ne grandit pas de plus de {share}";
    leavers = "with those who left" | "avec les sortants";

    // Schedules in words
    every_day(time) = "Every day at {time}" | "Chaque jour à {time}";
    every_hour(time) = "Every hour, from {time}" | "Chaque heure, depuis {time}";
    every_hours(hours, time) = "Every {hours} hours, from {time}" | "Toutes les {hours} heures, depuis {time}";
    every_week(weekday, time) = "Every {weekday} at {time}" | "Chaque {weekday} à {time}";
    every_month(day, time) = "On day {day} of every month at {time}" | "Le {day} de chaque mois à {time}";
    once_on(day, time) = "Once, {day} at {time}" | "Une fois, {day} à {time}";
    by_cron(expression) = "By cron {expression}" | "Selon cron {expression}";
    after_evaluation = "After each evaluation of the segment" | "Après chaque évaluation du segment";
    by_hand = "Only when it is run by hand" | "Seulement lancée à la main";
    weekdays_long = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday" | "lundi mardi mercredi jeudi vendredi samedi dimanche";
}
