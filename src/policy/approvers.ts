import { isListed, type Person } from './people.ts';

/** Whether a person may decide requests. @param approvers user names or ids; empty: everybody */
export function mayDecide(person: Person, approvers: readonly string[]): boolean {
  return isListed(person, approvers);
}
