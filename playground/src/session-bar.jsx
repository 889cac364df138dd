import { developmentSession, pastedSession } from './session.js';

const tenants = ['demo', 'acme'];
const roles = ['admin', 'agent', 'viewer'];

/** The bar at the top: who is asking, and how to ask as somebody else. */
export function SessionBar({ session, onChange }) {
  return (
    <header className="graphiql-container session-bar">
      <strong>
        crm<em>graph</em>
      </strong>
      {session.kind === 'development' ? (
        <Switches session={session} onChange={onChange} />
      ) : (
        <TokenForm onChange={onChange} />
      )}
    </header>
  );
}

function Switches({ session: { tenant, role }, onChange }) {
  return (
    <>
      <Choice
        label="Tenant"
        value={tenant}
        values={tenants}
        onChange={(chosen) => onChange(developmentSession(chosen, role))}
      />
      <Choice
        label="Role"
        value={role}
        values={roles}
        onChange={(chosen) => onChange(developmentSession(tenant, chosen))}
      />
      <small>Development tokens, kept in memory only</small>
    </>
  );
}

function Choice({ label, value, values, onChange }) {
  return (
    <label>
      {label}
      <select name={label.toLowerCase()} value={value} onChange={(event) => onChange(event.target.value)}>
        {values.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </label>
  );
}

function TokenForm({ onChange }) {
  function submit(event) {
    event.preventDefault();
    onChange(pastedSession(new FormData(event.currentTarget).get('token').trim()));
  }
  return (
    <form onSubmit={submit}>
      <label>
        Bearer token
        <input name="token" type="password" autoComplete="off" spellCheck={false} />
      </label>
      <button>Use</button>
      <small>Kept in memory only: a reload forgets it</small>
    </form>
  );
}
