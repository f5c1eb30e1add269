/**
 * A place in the request's body whose objects may have a null for an absent field, as typed clients write it. Anywhere else a
 * null is a value: in a tool's input, in a schema, in a block of a server tool.
 */
interface Place {
  /** Chooses among the objects at this place; absent, it is all of them. */
  applies?: (object: object) => boolean;
  /** The fields that hold such objects, or lists of them. */
  fields: Record<string, Place>;
}

const PLAIN: Place = { fields: {} };
/** A document's switch for citations. A text's citations are a list, in which the API itself writes nulls: they stay. */
const CITATIONS: Place = { fields: {}, applies: (value) => !Array.isArray(value) };

/** Kinds of blocks whose fields we know. In another kind a null may be a value. */
const KNOWN_BLOCKS: ReadonlySet<unknown> = new Set([
  'text',
  'image',
  'document',
  'search_result',
  'tool_use',
  'tool_result',
  'tool_reference',
  'thinking',
  'redacted_thinking',
]);

const BLOCK: Place = {
  applies: (value) => Array.isArray(value) || KNOWN_BLOCKS.has((value as { type?: unknown }).type),
  fields: { cache_control: PLAIN, citations: CITATIONS },
};
BLOCK.fields.source = { fields: { content: BLOCK } };
BLOCK.fields.content = BLOCK;

const BODY: Place = {
  fields: {
    system: BLOCK,
    messages: { fields: { content: BLOCK, output_config: PLAIN } },
    tools: { fields: { cache_control: PLAIN } },
    thinking: PLAIN,
    tool_choice: PLAIN,
    output_config: { fields: { format: PLAIN } },
    output_format: PLAIN,
    metadata: PLAIN,
    cache_control: PLAIN,
  },
};

/**
 * A body without the fields that are null and could as well be left out. What has none is not copied.
 *
 * @param body of any shape
 */
export function withoutNulls(body: unknown): unknown {
  return cleaned(body, BODY);
}

function cleaned(value: unknown, place: Place): unknown {
  if (typeof value !== 'object' || value === null || place.applies?.(value) === false) return value;
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (const [index, item] of value.entries()) {
      const kept = cleaned(item, place);
      if (kept === item) continue;
      copy ??= [...value];
      copy[index] = kept;
    }
    return copy ?? value;
  }
  return cleanedObject(value, place);
}

function cleanedObject(object: object, { fields }: Place): object {
  let isChanged = false;
  const entries: Array<[string, unknown]> = [];
  for (const [field, value] of Object.entries(object)) {
    const inner = Object.hasOwn(fields, field) ? fields[field] : undefined;
    const kept = inner ? cleaned(value, inner) : value;
    const isAbsent = kept === null || isNoCitation(field, kept);
    if (kept !== value || isAbsent) isChanged = true;
    if (!isAbsent) entries.push([field, kept]);
  }
  return isChanged ? Object.fromEntries(entries) : object;
}

/** Typed clients send an empty list for a text without citations, too. */
function isNoCitation(field: string, value: unknown): boolean {
  return field === 'citations' && Array.isArray(value) && value.length === 0;
}
