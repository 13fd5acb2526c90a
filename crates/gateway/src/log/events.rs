//! Every event, in one table: what it is called, how loud it is, and what it says. docs/logs.md is made of it.

use tracing::Level;

/// An event. Its name stays; what is said beside it may change.
pub struct Event {
    /// In small letters, with underscores.
    pub name: &'static str,
    pub level: Level,
    /// Whether somebody could cause it again and again: it is told once a second then, and counted.
    pub is_often: bool,
    /// What it says, for docs/logs.md.
    #[cfg_attr(not(test), expect(dead_code, reason = "the handbook is made of it"))]
    pub text: &'static str,
}

macro_rules! events {
    ($($own:ident: $level:ident, $is_often:literal, $name:literal, $text:literal;)*) => {
        $(
            #[doc = $text]
            pub const $own: Event = Event { name: $name, level: Level::$level, is_often: $is_often, text: $text };
        )*
        /// All of them.
        pub const ALL: &[Event] = &[$($own),*];
    };
}

events! {
    STARTED: INFO, false, "started", "It begins its work.";
    STOPPED: INFO, false, "stopped", "It was asked to stop, and has.";
    ENDED: ERROR, false, "ended", "It could not go on; the message says why.";
    PANICKED: ERROR, false, "panicked", "A fault of the program, with its place.";
    KEY_MADE: INFO, false, "key_made", "A key was made; its fingerprint is to be pinned elsewhere.";
    KEY_OPEN: WARN, false, "key_open", "Other accounts can read a key.";
    CONFIG_READ: INFO, false, "config_read", "The configuration was read again, and holds.";
    CONFIG_REFUSED: WARN, false, "config_refused", "The configuration was read again and has mistakes; what held goes on.";
    CONFIG_LATER: INFO, false, "config_later", "What `[page]` says now holds from the next start.";
    DISK_SCARCE: WARN, false, "disk_scarce", "Less is free than `disk_free_min`: nobody is asked by plan.";
    DISK_FREE: INFO, false, "disk_free", "There is room again.";
    LEDGER_HALTED: ERROR, false, "ledger_halted", "The ledger cannot be written: nobody is asked, what is heard waits, and nothing can be done.";
    LEDGER_MENDED: INFO, false, "ledger_mended", "The ledger is written again, and nothing was lost.";
    TARGET_BEGINS: INFO, false, "target_begins", "A target is new, or its place is not the one that it was.";
    TARGET_TROUBLE: WARN, false, "target_trouble", "A target cannot be told; it is tried again, and nothing is lost.";
    TARGET_WELL: INFO, false, "target_well", "A target is told again.";
    DEAD_LETTER: WARN, true, "dead_letter", "A target refuses a message for good; what comes behind it is told.";
    PAGE_OPEN: INFO, false, "page_open", "The page answers.";
    CERTIFICATE: INFO, false, "certificate", "Which certificate the page has.";
    CONNECTION_FAILED: WARN, true, "connection_failed", "A connection to the page could not be taken.";
    REQUEST: DEBUG, false, "request", "A request was answered.";
    REQUEST_SLOW: WARN, true, "request_slow", "A request took longer than a second.";
    REQUEST_FAILED: WARN, true, "request_failed", "A request was answered with a status of 500 or more.";
    OWN_FAULT: ERROR, true, "own_fault", "What a request met that is no fault of who asked: the disk, or the program.";
    FILE_UNWRITTEN: ERROR, true, "file_unwritten", "A file that somebody sent, or a view, could not be written.";
    FIELD_THERE: INFO, false, "field_there", "The field side is there.";
    FIELD_GONE: WARN, false, "field_gone", "The field side is not there, or not believed; it is tried again.";
    FIELD_KEY: INFO, false, "field_key", "The key with which the field side seals its touch record.";
    HAPPENED: WARN, false, "happened", "Somebody was seen to do something to a device.";
    ROUND_BEGUN: INFO, false, "round_begun", "Devices are to be asked.";
    ROUND_OVER: INFO, false, "round_over", "They were, as far as it went.";
    WISHES_FORGOTTEN: WARN, false, "wishes_forgotten", "Rounds that people wanted will not be asked, because the field side went.";
    FRAMES_DROPPED: WARN, false, "frames_dropped", "More frames were dropped since it was last told: they came faster than they could be heard.";
    REPORTS_GIVEN_UP: WARN, false, "reports_given_up", "The field side gave up reports, because nobody took them.";
    REPORT: TRACE, false, "report", "A word of the field side to the desk.";
    SEAL_KEY: INFO, false, "seal_key", "The key with which the touch record is sealed.";
    HATCH_OPEN: INFO, false, "hatch_open", "The field side attends to the hatch.";
    INTERFACE_OPEN: INFO, false, "interface_open", "An interface is listened to.";
    INTERFACE_SPEAKS: WARN, false, "interface_speaks", "An interface would be noticed where it should only hear; the message says what ends that.";
    INTERFACE_LOST: ERROR, false, "interface_lost", "An interface went down or away; the field side ends.";
    DESK_CAME: INFO, true, "desk_came", "A desk is at the hatch.";
    DESK_LEFT: INFO, true, "desk_left", "The desk went.";
    DESK_REFUSED: WARN, true, "desk_refused", "A desk was shown out, or a second one turned away.";
    REQUESTED: TRACE, false, "requested", "A word of the desk to the field side.";
    ROUND_TAKEN: INFO, true, "round_taken", "The desk wants devices asked.";
    ROUND_DONE: INFO, true, "round_done", "They were, as far as rules and budgets let them.";
    ROUND_REFUSED: WARN, true, "round_refused", "Of a round nothing could be asked.";
    DEVICE_ASKED: DEBUG, false, "device_asked", "A connection to a device is over.";
    DEVICE_REFUSED: DEBUG, false, "device_refused", "A device, or a question, was refused on our side.";
    DEVICE_SILENT: DEBUG, false, "device_silent", "A device gave no sound answer.";
    QUESTION: TRACE, false, "question", "A question left.";
    DEVICE_UPSET: ERROR, false, "device_upset", "A device restarted as it was read: its breaker is open, and its class stops.";
    READING_LOST: ERROR, true, "reading_lost", "What a device said could not be taken.";
    UNSEALED: ERROR, true, "unsealed", "The touch record could not be sealed; the desk gets its lines with the next seal.";
    ENDING: INFO, false, "ending", "It was asked to stop, or an interface is lost; what is under way ends first.";
    ENDING_LATE: WARN, false, "ending_late", "What was under way took too long, and was broken off.";
}
