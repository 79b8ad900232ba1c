// PostGraphile 5 over the same views and role, with the same token check and its own way of setting the organization:
// a transaction and set_config.
import { createServer } from "node:http";
import jwt from "jsonwebtoken";
import pg from "pg";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { jsonPgSmartTags } from "postgraphile/utils";
import { PostGraphileConnectionFilterPreset } from "postgraphile-plugin-connection-filter";

// Node 20 lacks it
Promise.withResolvers ??= function withResolvers() {
  let resolve, reject;
  const promise = new Promise((...both) => ([resolve, reject] = both));
  return { promise, resolve, reject };
};

const { BENCH_ADDRESS, BENCH_ORGANIZATION, BENCH_SECRET } = process.env;
const port = Number(process.argv[2]);

// views have neither keys nor references: these are those of their tables
const keyed = { tags: { primaryKey: "id" } };
const tags = {
  version: 1,
  config: {
    class: {
      "app.statuses": keyed,
      "app.companies": keyed,
      "app.chatbots": keyed,
      "app.leads": {
        tags: {
          primaryKey: "id",
          foreignKey: [
            "(status_id) references app.statuses (id)|@fieldName status|@foreignFieldName statusLeads",
            "(company_id) references app.companies (id)|@fieldName company",
            "(chatbot_id) references app.chatbots (id)|@fieldName chatbot",
          ],
        },
      },
    },
  },
};

const preset = {
  extends: [PostGraphileAmberPreset, PostGraphileConnectionFilterPreset],
  plugins: [jsonPgSmartTags(tags)],
  pgServices: [makePgService({ pool: new pg.Pool({ ...JSON.parse(BENCH_ADDRESS), max: 10 }), schemas: ["app"] })],
  grafserv: { port, graphqlPath: "/graphql", websockets: false, graphiql: false },
  grafast: {
    explain: false,
    context(request) {
      const { authorization } = request.node.req.headers;
      const options = { algorithms: ["HS256"], audience: "leadport", issuer: "leadport" };
      jwt.verify(authorization.replace("Bearer ", ""), BENCH_SECRET, options);
      return { pgSettings: { "app.organization_id": BENCH_ORGANIZATION } };
    },
  },
};

const server = createServer();
server.on("error", (error) => {
  throw error;
});
await postgraphile(preset).createServ(grafserv).addTo(server);
server.listen(port, "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
