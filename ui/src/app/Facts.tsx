// Shows a list of names with their values.

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
