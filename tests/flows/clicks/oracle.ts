/**
 * What becomes of a click, said again without the code under test: from how the click was made, and how the request stood.
 * A click counts only if nothing about it was changed and everything about it is right.
 */
export interface Made {
  /** Which fields of a true click were replaced by something else. */
  readonly changed: readonly string[];
  readonly by: 'approver' | 'stranger';
  readonly request: 'open' | 'decided' | 'withdrawn' | 'reposted' | 'opened';
  readonly button: 'approve' | 'approverepo' | 'approvealways' | 'deny' | 'close';
  readonly admin: boolean;
}

export function mayCount({ changed, by, request, button, admin }: Made): boolean {
  if (changed.length > 0 || by === 'stranger') return false;
  if (request === 'opened') return button === 'close';
  if (request !== 'open' || button === 'close') return false;
  return button !== 'approvealways' || admin;
}
