// Where the server under test is; the Python test that runs these files starts it and says so.
export const url = process.env.LEADPORT_URL;
export const token = process.env.LEADPORT_TOKEN;
export const graphql = `${url}/graphql`;
export const socket = graphql.replace(/^http/, 'ws');
export const headers = { Authorization: `Bearer ${token}` };

export const START_EXPORT = `mutation Start { exportLeads(input: {spec: {template: BASIC, limit: 50}}) {
  job { id state } userErrors { code message } } }`;
export const FOLLOW = `subscription Follow($id: ID!) { job(id: $id) { type revision job { id state progress { processed total } } } }`;
export const IMPORT = `mutation Import($file: Upload!) { importLeads(input: {source: {file: $file}, waitSeconds: 30,
  options: {required: [NAME], defaults: [{field: SOURCE, value: "web"}]}}) {
  job { id state totalRows counts { created failed } } userErrors { code message path } } }`;

export async function post(query, variables) {
  const answer = await fetch(graphql, {
    method: 'POST', headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify({ query, variables }),
  });
  return answer.json();
}

export async function startExport() {
  const { data, errors } = await post(START_EXPORT);
  if (errors) throw new Error(JSON.stringify(errors));
  return data.exportLeads.job.id;
}
