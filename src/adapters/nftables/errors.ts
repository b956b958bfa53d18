/** What can go wrong with nft on the VM, and what a person can do about it. */
import { RetryableError, TerminalError } from '../../actors/index.ts';
import type { ShellResult } from './shell.ts';

export function nftError(what: string, { code, stderr }: ShellResult): TerminalError | RetryableError {
  const said = stderr.trim().split('\n')[0]?.slice(0, 300) ?? '';
  const message = `${what}: exit code ${code}: ${said}`;
  if (/password is required|a terminal is required|not allowed to (run|execute)|not in the sudoers/i.test(stderr)) {
    return new TerminalError('NFT_SUDO', message, {
      human: 'The VM user may not run nft without a password. Allow it in sudoers, as docs/firewall.md shows.',
    });
  }
  if (code === 127 || /not found/i.test(said)) {
    return new TerminalError('NFT_MISSING', message, {
      human: 'nft is not installed on the VM. Install nftables, or set SM_NFT_COMMAND to where it is.',
    });
  }
  if (/operation not permitted|permission denied|must be root/i.test(stderr)) {
    return new TerminalError('NFT_PERMISSION', message, {
      human: 'The VM user may not change the firewall. Set SM_NFT_COMMAND, for example to `sudo -n nft`.',
    });
  }
  if (/read-only file system|no space left/i.test(stderr)) {
    return new TerminalError('NFT_RESOLVER_FILE', message, {
      human: "The list of names for the containers' resolver cannot be written on the VM.",
    });
  }
  return new RetryableError('NFT_FAILED', message, { human: `The firewall on the VM refused a change: ${said}` });
}
