/** Repositories on the VM: mirrors no container sees, and checkouts of their own. */
export { type Checkout, ensureCheckout, findCheckout, markSeen } from './checkout.ts';
export { ensureMirror, type Mirror } from './mirror.ts';
export { checkRepo } from './names.ts';
export { checkoutPlace } from './paths.ts';
export { INSIDE, type Pulled, pullInside } from './pullInside.ts';
export type { GitOptions } from './run.ts';
export type { RunInside, Shell, ShellOptions, ShellResult } from './shell.ts';
export { removeCheckout, type Tidied } from './tidy.ts';
