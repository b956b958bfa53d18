import { isListed, type Person } from './people.ts';

/** Whether a person may decide requests. @param approvers user names or ids; empty: everybody */
export function mayDecide(person: Person, approvers: readonly string[]): boolean {
  return isListed(person, approvers);
}

/** Whether a person may open a host for everybody and for good. @param admins user names or ids; empty: nobody */
export function mayOpenForGood(person: Person, admins: readonly string[]): boolean {
  return admins.length > 0 && isListed(person, admins);
}
