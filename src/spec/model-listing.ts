/** A model that Claude Code offers. */
export interface ModelListing {
  /** The exact id, such as `claude-opus-5-5`. */
  id: string;
  /** Short names that Claude Code takes for it, such as `opus`. */
  aliases: string[];
}
