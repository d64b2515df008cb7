// A list of names and what each is.

export function Facts({ rows, className = 'facts' }: { rows: readonly [string, string][]; className?: string }) {
  return (
    <dl className={className}>
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
