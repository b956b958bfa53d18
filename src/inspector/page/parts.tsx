/** The small pieces that everything else is made of. */
import type { ComponentChildren } from 'preact';
import type { ActorStatus } from '../../actors/types.ts';
import { actorLink } from './route.ts';
import { keyOf, kindOf } from './words.ts';

export function Status({ status }: { readonly status: ActorStatus }) {
  return <span class={`status ${status}`}>{status}</span>;
}

export function Kind({ kind }: { readonly kind: string }) {
  return <span class={`kind ${kind}`}>{kind}</span>;
}

/** A number that matters only when it is not zero. */
export function Count({
  value,
  label,
  tone = '',
}: {
  readonly value: number;
  readonly label: string;
  readonly tone?: string;
}) {
  if (value === 0) return null;
  return (
    <span class={`count ${tone}`} title={`${value} ${label}`}>
      {value}
      <span class="hidden"> {label}</span>
    </span>
  );
}

export function ActorLink({ address }: { readonly address: string }) {
  return (
    <a class="address" href={actorLink(address)}>
      <Kind kind={kindOf(address)} /> <span class="mono">{keyOf(address)}</span>
    </a>
  );
}

export function Note({ children, tone = '' }: { readonly children: ComponentChildren; readonly tone?: string }) {
  return (
    <p class={`note ${tone}`} role={tone === 'bad' ? 'alert' : undefined}>
      {children}
    </p>
  );
}

/** What to show while something is read, when it failed, and when there is nothing. */
export function Loaded<Value>(props: {
  readonly value: Value | undefined;
  readonly error: string;
  readonly children: (value: Value) => ComponentChildren;
}) {
  return (
    <>
      {props.error !== '' && <Note tone="bad">{props.error}</Note>}
      {props.value === undefined
        ? props.error === '' && (
            <p class="note loading" role="status">
              Loading …
            </p>
          )
        : props.children(props.value)}
    </>
  );
}

export function More({ has, onMore }: { readonly has: boolean; readonly onMore: () => void }) {
  if (!has) return null;
  return (
    <button type="button" class="more" onClick={onMore}>
      Show more
    </button>
  );
}

export function Json({ value, label }: { readonly value: unknown; readonly label: string }) {
  return (
    <section class="json" aria-label={label}>
      <h4>{label}</h4>
      <pre>{JSON.stringify(value, undefined, 2)}</pre>
    </section>
  );
}

export function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
