/** One at a time per name: the API has no way to say "change it if it is still as I read it". */
export interface Locks {
  with<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
}

export function createLocks(): Locks {
  const tails = new Map<string, Promise<void>>();
  return {
    async with(name, work) {
      const before = tails.get(name);
      let release: () => void = () => undefined;
      const mine = new Promise<void>((resolve) => {
        release = resolve;
      });
      tails.set(name, mine);
      await before;
      try {
        return await work();
      } finally {
        release();
        if (tails.get(name) === mine) tails.delete(name);
      }
    },
  };
}
