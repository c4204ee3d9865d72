// The same, tuned: a worker a core, connections to the app tier kept, the body handed on as it came.
import cluster from 'node:cluster';
import http from 'node:http';
import os from 'node:os';
import express from 'express';

if (cluster.isPrimary) {
  for (let core = 0; core < os.availableParallelism(); core += 1) cluster.fork();
} else {
  serve();
}

function serve() {
  const upstream = new URL(process.env.APP_TIER_URL);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 512 });
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  app.get('/health', (request, response) => response.send('OK'));

  app.post('/pay', express.raw({ type: 'application/json', limit: '16kb' }), (request, response) => {
    const call = http.request({
      agent,
      host: upstream.hostname,
      port: upstream.port,
      path: '/process',
      method: 'POST',
      timeout: 8000,
      headers: { 'content-type': 'application/json', 'content-length': request.body.length },
    }, (answer) => {
      response.status(answer.statusCode).type(answer.headers['content-type']);
      answer.pipe(response);
    });
    call.on('timeout', () => call.destroy(new Error('the app tier is too slow')));
    call.on('error', (error) => response.headersSent ? response.destroy() : response.status(502).json({ error: error.message }));
    call.end(request.body);
  });

  const [host, port] = process.env.LISTEN_ADDR.split(':');
  const server = app.listen(Number(port), host);
  server.keepAliveTimeout = 75_000;
}
