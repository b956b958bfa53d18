/** Advisory locks of this program: class and number. Two databases on one server do not share them. */
export const LOCK_CLASS = 0x63736d;
export const LEADER_LOCK = 1;
export const MIGRATION_LOCK = 2;
export const AUDIT_LOCK = 3;

/** NOTIFY channel: a process that does not lead wrote inbox rows. */
export const INBOX_CHANNEL = 'csm_inbox';
