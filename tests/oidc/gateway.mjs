// The gateway under test, as a process.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { Agent } from 'node:https';
import { createInterface } from 'node:readline';

import { RESOURCE, ask } from './provider.mjs';

export class Gateway {
  static async start(mlgate, folder, issuer) {
    const gateway = new Gateway();
    mkdirSync(`${folder}/config`, { recursive: true });
    writeFileSync(`${folder}/config/role_mapping.yml`,
      'ml:\n  enabled: true\n  roles: [machine_learning_admin]\n  rules: { all: [ { field: { realm.name: oidc } }, { field: { username: robot } } ] }\n');
    writeFileSync(`${folder}/config/mlgate.yml`, `
listeners: [ { address: "127.0.0.1:0", tls: { certificate: ../certs/server.crt, key: ../certs/server.key } } ]
admin: { address: "127.0.0.1:0" }
clusters: [ { name: main, embedded: { data: ../data } } ]
authentication:
  realms:
    - type: jwt
      name: oidc
      token_type: access_token
      allowed_issuer: ${issuer.url}
      allowed_audiences: [ "${RESOURCE}" ]
      pkc_jwkset_path: ${issuer.url}/jwks
      ssl: { certificate_authorities: [ ../ca.crt ] }
      claims: { principal: sub }
authorization: { role_mapping: role_mapping.yml }
`);
    gateway.process = spawn(mlgate, ['serve', '--config', `${folder}/config/mlgate.yml`], { stdio: ['ignore', 'ignore', 'pipe'] });
    gateway.log = [];
    const addresses = await new Promise((done, failed) => {
      const found = [];
      gateway.process.on('exit', () => failed(new Error(gateway.log.join('\n'))));
      createInterface({ input: gateway.process.stderr }).on('line', (line) => {
        gateway.log.push(line);
        const url = /"message":"listening".*"url.full":"([^"]*)"|"url.full":"([^"]*)".*"message":"listening"/.exec(line);
        if (url) found.push(url[1] ?? url[2]);
        if (found.length === 2) done(found);
      });
    });
    [gateway.url, gateway.admin] = addresses;
    gateway.agent = new Agent({ keepAlive: true, maxSockets: 64, ca: readFileSync(`${folder}/certs/ca.crt`) });
    return gateway;
  }

  ask(path, token) {
    return ask(this.agent, 'GET', this.url + path, { authorization: `Bearer ${token}` });
  }

  /** What `/readyz` says of the keys. */
  keys() {
    return new Promise((done, failed) => {
      get(`${this.admin}/readyz`, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part) => { text += part; });
        answer.on('end', () => done(JSON.parse(text).detail.key_sets.oidc));
      }).on('error', failed);
    });
  }

  reload() {
    this.process.kill('SIGHUP');
  }

  stop() {
    this.process.removeAllListeners('exit');
    this.process.kill();
    this.agent.destroy();
  }
}
