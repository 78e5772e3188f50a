// The same with @xapi/xapi: one statement, several, a bookmark guarded by its ETag, an agent profile; and reading back.
const VERBS = 'http://adlnet.gov/expapi/verbs/';
const launch = XAPI.getTinCanLaunchData();
const xapi = new XAPI({ endpoint: launch.endpoint, auth: launch.auth, version: '1.0.3' });

async function talk() {
  const { actor, activity_id: activityId, registration } = launch;
  const say = (verb, more) => ({ actor, verb: { id: VERBS + verb }, object: { id: activityId }, context: { registration }, ...more });
  const told = { registration, activity: activityId, stores: 1 };
  const attachments = [];
  const contents = ['essay ✓', 'notes'].map((text) => new TextEncoder().encode(text).buffer); // the library reads parts as text
  for (const content of contents) {
    const sha2 = Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', content)), (b) => b.toString(16).padStart(2, '0')).join('');
    attachments.push({ usageType: 'https://clients.example/essay', display: { en: 'Essay' }, contentType: 'text/plain', length: content.byteLength, sha2 });
  }
  const answer = await xapi.sendStatement({ attachments: contents, statement: say('answered', {
    attachments,
    object: { id: activityId, definition: { name: { 'en-US': 'Ünïcode ✓ + blank' } } },
    result: { score: { scaled: 0.75 }, success: true, response: 'a+b c&d=e%20' },
  }) });
  told.statement = answer.data[0];
  await xapi.sendStatements({ statements: [say('experienced'), say('terminated')] });
  const mark = { agent: actor, activityId, registration, stateId: 'bookmark' };
  await xapi.setState({ ...mark, state: { page: 7, text: 'ünïcode +' } });
  const seven = await xapi.getState(mark);
  const etag = seven.headers.etag ?? seven.headers.get?.('etag');
  if (!etag) throw new Error('the ETag is not shown to pages');
  await xapi.setState({ ...mark, state: { page: 8, text: 'ünïcode +' }, etag, matchHeader: 'If-Match' });
  const again = await xapi.setState({ ...mark, state: { page: 9 }, etag, matchHeader: 'If-Match' }).then(() => 'kept', () => 'refused');
  if (again !== 'refused') throw new Error('an outdated ETag was taken');
  told.state = (await xapi.getState(mark)).data;
  await xapi.setAgentProfile({ agent: actor, profileId: 'settings', profile: { large: true }, etag: '*', matchHeader: 'If-None-Match' });
  told.profile = (await xapi.getAgentProfile({ agent: actor, profileId: 'settings' })).data;
  const [back, ...data] = (await xapi.getStatement({ statementId: told.statement, attachments: true })).data;
  told.response = back.result.response;
  told.essay = data.sort().join(' ');
  const list = await xapi.getStatements({ agent: actor, activity: activityId, ascending: true });
  told.verbs = list.data.statements.map((s) => s.verb.id.replace(VERBS, ''));
  told.steps = await whole(XAPI, { endpoint: launch.endpoint, auth: launch.auth, actor, activity: activityId, registration });
  return told;
}

talk().catch((e) => ({ failed: String(e?.response?.data ? JSON.stringify(e.response.data) : e?.message ?? e) })).then((told) => {
  document.getElementById('told').textContent = JSON.stringify(told);
});
