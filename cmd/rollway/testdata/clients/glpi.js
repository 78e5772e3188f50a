// Runs GLPI's own JavaScript client against a server in Node: node glpi.js LIBRARY XHR CONFIG. CONFIG is JSON:
// {url, token, address, password}. Every line printed is JSON: {"step": …}, or {"ask": "answer"|"mail", "of": …}, which is
// answered by a line on the standard input. What fails is printed to the standard error and ends with 1.
const assert = require("node:assert");
const readline = require("node:readline").createInterface({ input: process.stdin });
const [library, xhr, text] = process.argv.slice(2);
const config = JSON.parse(text);
global.XMLHttpRequest = require(xhr); // as in a browser
process.on("unhandledRejection", () => {}); // the newer client leaves one behind each refused call
const Client = require(library);
const client = new (Client.default ?? Client)({ url: config.url });
const byName = client.genericRequest !== undefined; // the newer client takes objects where the older one takes a list

const step = (name) => console.log(JSON.stringify({ step: name }));
const ask = (what, of) => {
  console.log(JSON.stringify({ ask: what, of }));
  return new Promise((answered) => readline.once("line", answered));
};
const call = (name, named) => client[name](...(byName ? [named] : Object.values(named)));
const refused = async (promise) => {
  try {
    await promise;
  } catch (e) {
    return byName ? { status: e.status, pair: e.data[0] } : { pair: e };
  }
  throw new Error("this should have been refused");
};

const picture = async (id) => {
  if (!byName) { // the older client reads everything as JSON
    const answer = await fetch(`${config.url}/PluginFlyvemdmdemoCaptcha/${id}?alt=media`, { headers: { "Content-Type": "application/octet-stream" } });
    assert.equal(answer.status, 200);
    return Buffer.from(await answer.arrayBuffer());
  }
  return Buffer.from(await client.genericRequest({
    path: `PluginFlyvemdmdemoCaptcha/${id}`, queryString: { alt: "media" },
    requestParams: { method: "GET", headers: { "Content-Type": "application/octet-stream" }, responseType: "arraybuffer" },
  }));
};

const lostPassword = (body) => client.genericRequest({
  path: "lostPassword", requestParams: { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) },
});

(async () => {
  let { pair, status } = await refused(call("initSessionByUserToken", { userToken: "wrong" }));
  assert.deepEqual(pair, ["ERROR_GLPI_LOGIN_USER_TOKEN", "parameter user_token seems invalid"]);
  assert.ok(!byName || status === 401);
  step("a wrong token is refused");
  assert.ok((await call("initSessionByUserToken", { userToken: config.token })).session_token);
  step("a session");
  if (byName) {
    const plugins = await client.getAllItems({ itemtype: "Plugin" });
    assert.ok(plugins.some((p) => p.name === "Flyve MDM Demo" && p.state === 1));
    step("the sign-up page is offered");
  }
  assert.ok((await client.getGlpiConfig()).cfg_glpi.password_min_length >= 8);
  step("the rule for passwords");
  const captcha = await call("addItem", { itemtype: "PluginFlyvemdmdemoCaptcha", input: byName ? {} : { a: "a" } });
  assert.equal(typeof captcha.id, "number");
  const jpeg = await picture(captcha.id);
  assert.equal(jpeg.subarray(0, 3).toString("hex"), "ffd8ff");
  step("a captcha and its picture");
  const answer = await ask("answer", captcha.id);
  const user = (_answer) => ({
    name: config.address, realname: "Ada Lovelace", password: config.password, password2: config.password, _useremails: [config.address],
    _plugin_flyvemdmdemo_captchas_id: captcha.id, _answer,
  });
  ({ pair } = await refused(call("addItem", { itemtype: "PluginFlyvemdmdemoUser", input: user("never") })));
  assert.deepEqual(pair, ["ERROR_GLPI_ADD", "Turing test failed"]);
  step("a wrong answer is refused");
  assert.equal(await call("killSession", {}), byName ? "OK" : "");
  const made = byName ? await client.registerUser({ userToken: config.token, itemtype: "PluginFlyvemdmdemoUser", userData: user(answer) })
    : (await call("initSessionByUserToken", { userToken: config.token }), await call("addItem", { itemtype: "PluginFlyvemdmdemoUser", input: user(answer) }));
  assert.equal(typeof made.id, "number");
  assert.equal(made.message, "");
  step("an account");
  if (!byName) await call("killSession", {});
  ({ pair } = await refused(call("initSessionByCredentials", { userName: config.address, userPassword: config.password })));
  assert.equal(pair[0], "ERROR_GLPI_LOGIN");
  step("who is not validated is not let in");
  await call("initSessionByUserToken", { userToken: config.token });
  const [id, validation] = (await ask("mail", config.address)).split(" ");
  // One version keeps the id in the path, as one dashboard does, the other in the input, as the other one does.
  const validated = byName ? await client.updateItem({ itemtype: "PluginFlyvemdmdemoAccountvalidation", id, input: { _validate: validation } })
    : await client.updateItem("PluginFlyvemdmdemoAccountvalidation", undefined, { id: Number(id), _validate: validation });
  assert.ok(validated.find((item) => item[id]));
  step("the account is validated");
  ({ pair } = await refused(call("updateItem", { itemtype: "PluginFlyvemdmdemoAccountvalidation", id, input: { _validate: validation } })));
  assert.deepEqual(pair, ["ERROR_GLPI_UPDATE", "Validation token is invalid"]);
  step("a token is used once");
  const ended = client.sessionToken;
  await call("killSession", {});
  client.sessionToken = ended;
  ({ pair } = await refused(client.getFullSession()));
  assert.deepEqual(pair, ["ERROR_SESSION_TOKEN_INVALID", "session_token seems invalid"]);
  client.sessionToken = "";
  step("a session ends");

  await call("initSessionByCredentials", { userName: config.address, userPassword: config.password });
  const { session } = await client.getFullSession();
  assert.equal(session.glpiID, made.id);
  const me = await call("getAnItem", { itemtype: "User", id: session.glpiID });
  assert.equal(me.name, config.address);
  const emails = await call("getSubItems", { itemtype: "User", id: session.glpiID, subItemtype: "UserEmail" });
  assert.equal(emails[0].email, config.address);
  step("sign-in");
  const { myprofiles } = await client.getMyProfiles();
  const { active_profile } = await client.getActiveProfile();
  assert.equal(active_profile.id, myprofiles[0].id);
  await call("changeActiveProfile", { profilesId: active_profile.id });
  const { myentities } = await client.getMyEntities();
  const { active_entity } = await client.getActiveEntities();
  assert.equal(active_entity.id, myentities[0].id);
  await call("changeActiveEntities", { entitiesId: active_entity.id, isRecursive: true });
  step("profile and entity");
  const entity = await call("getAnItem", { itemtype: "Entity", id: active_entity.id });
  assert.equal(entity.name, config.address);
  const fleets = await call("getAllItems", { itemtype: "PluginFlyvemdmFleet" });
  assert.ok(fleets.some((f) => f.is_default === 1 && f.name === "not managed fleet"));
  step("the entity and its default fleet");
  ({ pair } = await refused(call("getAnItem", { itemtype: "User", id: session.glpiID + 1000 })));
  assert.deepEqual(pair, ["ERROR_ITEM_NOT_FOUND", "Item not found"]);
  step("nobody else is seen");
  await call("killSession", {});
  if (byName) {
    const login = await client.login({ userName: config.address, userPassword: config.password });
    assert.equal(login.userData.id, made.id);
    await client.killSession();
    client.sessionToken = "null"; // as a browser sends what is not there
    assert.equal((await lostPassword({ email: config.address })).length, 1);
    step("sign-in at once, and a lost password");
  }
  readline.close();
  process.exit(0);
})().catch((e) => {
  console.error(e?.stack ?? e);
  process.exit(1);
});
