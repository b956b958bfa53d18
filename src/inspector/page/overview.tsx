/** The first thing one sees: how many actors there are, in what condition, and who leads. */
import type { OverviewAnswer } from '../wire.ts';
import { filter, overview, pulse } from './data.ts';
import { Fact, Kind, Loaded } from './parts.tsx';
import { ago, plural } from './words.ts';

const STATUSES = ['active', 'parked', 'error', 'done'] as const;

export function Overview() {
  return (
    <Loaded value={overview.value.value} error={overview.error.value}>
      {(found) => (
        <div class="overview">
          <h2>All actors</h2>
          <Counts found={found} />
          <h2>This process</h2>
          <Process found={found} />
          <p class="quiet keys">
            <kbd>/</kbd> search · <kbd>j</kbd> <kbd>k</kbd> older and newer revision · <kbd>Esc</kbd> back
          </p>
        </div>
      )}
    </Loaded>
  );
}

function Counts({ found }: { readonly found: OverviewAnswer }) {
  const count = (kind: string, status: string): number =>
    found.counts.find((entry) => entry.kind === kind && entry.status === status)?.count ?? 0;
  return (
    <>
      <table class="counts">
        <thead>
          <tr>
            <th scope="col">Kind</th>
            {STATUSES.map((status) => (
              <th scope="col" key={status}>
                {status}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {found.kinds.map(({ kind }) => (
            <tr key={kind}>
              <th scope="row">
                <Kind kind={kind} />
              </th>
              {STATUSES.map((status) => (
                <td key={status} class={count(kind, status) === 0 ? 'none' : status}>
                  <button
                    type="button"
                    onClick={() => {
                      filter.value = { ...filter.value, kind, status };
                      document.getElementById('search')?.focus();
                    }}
                  >
                    {count(kind, status).toLocaleString()}
                  </button>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p>
        <a href="#/letters" class={found.letters > 0 ? 'warn' : 'quiet'}>
          {plural(found.letters, 'dead letter')}
        </a>
      </p>
    </>
  );
}

function Process({ found }: { readonly found: OverviewAnswer }) {
  const figures = pulse.value;
  return (
    <dl class="facts">
      <Fact name="Role">{found.leading ? 'leads' : 'stands by'}</Fact>
      <Fact name="Term">
        {found.term}
        {found.leaderSince > 0 && `, since ${ago(found.leaderSince)}`}
      </Fact>
      <Fact name="Leader">{found.holder === '' ? '-' : found.holder}</Fact>
      <Fact name="Version">{found.version}</Fact>
      {figures !== undefined && (
        <>
          <Fact name="Events waiting">{figures.pendingEvents}</Fact>
          <Fact name="Requests running">
            {figures.runningEffects} of {figures.pendingEffects}
          </Fact>
          <Fact name="Tasks running">{figures.runningTasks}</Fact>
        </>
      )}
      <Fact name="Operator actions">{found.maySend ? 'allowed' : 'off (read-only)'}</Fact>
    </dl>
  );
}
