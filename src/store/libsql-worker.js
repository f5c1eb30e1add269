/**
 * The thread of one database file: it runs a statement at a time, and each blocks it. JavaScript, as a thread of Node 20 takes
 * no TypeScript and this is run from `src` too.
 */
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'libsql';

const { file } = workerData;

/** How long a statement waits for another program that writes the file, in milliseconds. */
const BUSY_MS = 5_000;

function open() {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // SQLite would make it readable for others; its other files get the rights of this one.
    closeSync(openSync(file, 'a', 0o600));
  } catch {
    // What keeps it from being written may let it be read; if not, SQLite says why.
  }
  const database = new Database(file);
  for (const pragma of [
    `busy_timeout = ${BUSY_MS}`,
    // Before there is a table: what is deleted gives its room back.
    'auto_vacuum = incremental',
    'journal_mode = wal',
    'synchronous = full',
    'secure_delete = on',
  ]) {
    database.prepare(`pragma ${pragma}`).all([]);
  }
  return database;
}

/** What of an error can leave the thread. */
const described = ({ message, code }) => ({ message, code });

let database;
let inode;
try {
  database = open();
  inode = statSync(file).ino;
  parentPort.postMessage({ isOpen: true });
} catch (error) {
  parentPort.postMessage({ error: described(error) });
  parentPort.close();
}

/** SQLite goes on in a file that has been removed; what it writes there is lost. */
const isInPlace = () => statSync(file, { throwIfNoEntry: false })?.ino === inode;

function end() {
  database.close();
  parentPort.close();
}

/** Runs one statement to its end. libsql takes parameters as one array alone: it reads a single object as named ones. */
function run(sql, parameters) {
  // For one, libsql ends the whole program.
  if (parameters.some((parameter) => typeof parameter === 'boolean')) throw new Error('SQLite takes no booleans');
  const statement = database.prepare(sql);
  // Not `run`, which stops after the first of several steps.
  const rows = statement.all([...parameters]);
  if (statement.reader) return { rows };
  const [{ changes }] = database.prepare('select changes() as changes').all([]);
  return { rows, changes };
}

/** Makes bytes of the buffers in rows, and collects them, so that they change hands uncopied. */
function collectBuffers(rows) {
  const buffers = [];
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) {
      if (!(value instanceof ArrayBuffer)) continue;
      row[name] = new Uint8Array(value);
      buffers.push(value);
    }
  }
  return buffers;
}

parentPort.on('message', ({ id, sql, parameters }) => {
  if (sql === undefined) return end();
  try {
    const result = run(sql, parameters);
    if (!isInPlace()) throw new Error('its file has been removed');
    parentPort.postMessage({ id, ...result }, collectBuffers(result.rows));
  } catch (error) {
    const isEnd = !isInPlace();
    parentPort.postMessage({ id, error: described(error), isEnd });
    if (isEnd) end();
  }
});
