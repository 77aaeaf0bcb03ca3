// The provider: one HTTPS server whose keys can be exchanged while it runs.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:https';
import Provider from 'oidc-provider';

export const RESOURCE = 'urn:mlgate';
const SECRET = 'secret-of-the-client';

// It warns of its defaults each time it is made.
console.warn = () => {};
console.info = () => {};

let numbered = 0;

/** A new RSA key, as a private JWK. */
export function key() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: `key-${++numbered}`, alg: 'RS256', use: 'sig' };
}

export class Issuer {
  /** Starts it with these keys; the first one signs. */
  static async start(folder, keys) {
    const issuer = new Issuer();
    issuer.ca = readFileSync(`${folder}/ca.crt`);
    const tls = { key: readFileSync(`${folder}/issuer.key`), cert: readFileSync(`${folder}/issuer.crt`) };
    issuer.server = createServer(tls, (asked, answer) => {
      if (asked.url.startsWith('/jwks')) issuer.fetches += 1;
      issuer.handler(asked, answer);
    });
    issuer.server.keepAliveTimeout = 60_000;
    await new Promise((done) => issuer.server.listen(0, '127.0.0.1', done));
    issuer.port = issuer.server.address().port;
    issuer.url = `https://localhost:${issuer.port}`;
    issuer.agent = new Agent({ keepAlive: true, ca: issuer.ca });
    issuer.fetches = 0;
    issuer.publish(keys);
    return issuer;
  }

  /** From now on it has these keys and no others. */
  publish(keys) {
    const client = (id) => ({
      client_id: id, client_secret: SECRET, grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
    });
    const resource = (_, audience) => ({
      scope: 'ml', audience, accessTokenFormat: 'jwt', accessTokenTTL: 600, jwt: { sign: { alg: 'RS256' } },
    });
    this.handler = new Provider(this.url, {
      jwks: { keys },
      clients: ['robot', 'visitor'].map(client),
      scopes: ['ml'],
      features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: false },
        resourceIndicators: { enabled: true, defaultResource: () => undefined, getResourceServerInfo: resource },
      },
    }).callback();
  }

  /** An access token for a client; without a resource it is no JWT. */
  async token(client, resource = RESOURCE) {
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...(resource && { resource }) });
    const answer = await ask(this.agent, 'POST', `${this.url}/token`, {
      authorization: `Basic ${Buffer.from(`${client}:${SECRET}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    }, form.toString());
    if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${answer.body}`);
    return JSON.parse(answer.body).access_token;
  }

  stop() {
    this.server.close();
    this.server.closeAllConnections();
    this.agent.destroy();
  }
}

/** One request, its whole answer. */
export function ask(agent, method, url, headers, body) {
  return new Promise((done, failed) => {
    const sent = request(url, { agent, method, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part) => { text += part; });
      answer.on('end', () => done({ status: answer.statusCode, body: text })).on('error', failed);
    });
    sent.on('error', failed).end(body);
  });
}
