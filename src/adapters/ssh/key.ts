/** Our own key: from the configuration or a file, read anew for each connection so that it can be replaced. */
import { readFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import { AuthError } from './errors.ts';

export type KeySource = { readonly text: string } | { readonly path: string };

/** @throws AuthError naming the variable to look at */
export async function readKey(source: KeySource): Promise<string> {
  const where = 'text' in source ? 'SM_VM_SSH_KEY' : 'SM_VM_SSH_KEY_PATH';
  const key = normal('text' in source ? source.text : await readKeyFile(source.path));
  const parsed = ssh2.utils.parseKey(key);
  if (!(parsed instanceof Error)) {
    const first = Array.isArray(parsed) ? parsed[0] : parsed;
    if (first?.isPrivateKey()) return key;
    throw new AuthError(`${where} holds a public key`, `${where} holds a public key; the private one is needed.`);
  }
  if (/encrypted|passphrase/i.test(parsed.message)) {
    throw new AuthError(
      `${where}: the key has a passphrase`,
      `The SSH key in ${where} has a passphrase. Make one without: \`ssh-keygen -t ed25519 -N '' -f key\`.`,
      parsed,
    );
  }
  throw new AuthError(
    `${where}: ${parsed.message}`,
    `${where} holds no usable private key. It must be the whole text of an OpenSSH private key, with its line breaks.`,
    parsed,
  );
}

async function readKeyFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new AuthError(
      `SM_VM_SSH_KEY_PATH: ${error instanceof Error ? error.message : String(error)}`,
      `There is no SSH key: SM_VM_SSH_KEY is not set, and ${path} (SM_VM_SSH_KEY_PATH) cannot be read.`,
      error,
    );
  }
}

/** Environment variables tend to lose a key's last newline, to keep `\r`, or to spell its line breaks as `\n`. */
function normal(text: string): string {
  const lines = text.includes('\n') ? text : text.replaceAll('\\n', '\n');
  return `${lines.replaceAll('\r', '').trim()}\n`;
}
