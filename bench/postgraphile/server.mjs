// PostGraphile as a side of the measurements: two processes that share a port, which the first
// one prints. Its graph is what PostGraphile makes of the tables, and three things that it
// cannot know: a lower bound for a customer's number, the points that can be spent now, and
// the records that a search found.
import cluster from "node:cluster";
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { TYPES } from "postgraphile/@dataplan/pg";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { GraphQLString } from "postgraphile/graphql";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { addPgTableCondition, extendSchema } from "postgraphile/utils";

const processes = 2;

// PostGraphile asks for Node 22 and needs no more of it than this.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new this((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
};

const numberFrom = addPgTableCondition(
  { schemaName: "public", tableName: "customer" },
  "numberFrom",
  () => ({ type: GraphQLString }),
  (value, { sql, sqlTableAlias, sqlValueWithCodec }) =>
    sql`${sqlTableAlias}.number >= ${sqlValueWithCodec(value, TYPES.bigint)}`,
);

const availablePoints = extendSchema((build) => {
  const { sql } = build;
  return {
    typeDefs: `extend type LoyaltyAccount { availablePoints: BigInt! }`,
    objects: {
      LoyaltyAccount: {
        plans: {
          availablePoints($account) {
            const account = $account.getClassStep().alias;
            return $account.select(
              sql`(SELECT coalesce(sum(o.remaining), 0)::bigint FROM loyalty_lot o
                WHERE o.tenant_id = ${account}.tenant_id AND o.account_id = ${account}.id AND o.remaining > 0
                  AND o.available_at <= now() AND (o.expires_at IS NULL OR o.expires_at > now()))`,
              TYPES.bigint,
            );
          },
        },
      },
    },
  };
});

const found = extendSchema((build) => {
  const resources = build.input.pgRegistry.pgResources;
  const record = (table) => ($hit) =>
    resources[table].get({ tenant_id: build.grafast.constant(process.env.TENANT), id: $hit.get("id") });
  return {
    typeDefs: `extend type CrmSearchRecord { customer: Customer party: Party vehicle: Vehicle }`,
    objects: {
      CrmSearchRecord: { plans: { customer: record("customer"), party: record("party"), vehicle: record("vehicle") } },
    },
  };
});

const preset = {
  extends: [PostGraphileAmberPreset],
  plugins: [numberFrom, availablePoints, found],
  disablePlugins: ["PgIndexBehaviorsPlugin"], // it hides a relation whose index is a partial one
  pgServices: [
    makePgService({
      connectionString: process.env.DATABASE_URL,
      schemas: ["public"],
      poolConfig: {
        max: Number(process.env.CONNECTIONS) / processes,
        options: `-c jit=off -c timezone=UTC -c app.tenant=${process.env.TENANT}`,
      },
    }),
  ],
  grafserv: { graphiql: false, watch: false },
};

async function serve() {
  const server = createServer();
  await postgraphile(preset).createServ(grafserv).addTo(server);
  server.listen(0, "127.0.0.1");
}

function lead() {
  let ready = 0;
  cluster.on("listening", (_worker, { address, port }) => {
    if (++ready === processes) console.log(`http://${address}:${port}`);
  });
  cluster.on("exit", () => process.exit(1)); // one that is left would be measured for two
  process.on("SIGTERM", () => process.exit(0)); // the others end when their leader does
  for (let i = 0; i < processes; i++) cluster.fork();
}

process.on("SIGINT", () => {}); // is for the driver, which then says when to end
await (cluster.isPrimary ? lead() : serve());
