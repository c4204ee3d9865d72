// The web tier as the lab's readers deploy it: Express, one process, axios with its defaults.
import axios from 'axios';
import express from 'express';

const app = express();
app.use(express.json({ limit: '16kb' }));

app.get('/health', (request, response) => response.send('OK'));

app.post('/pay', async (request, response) => {
  try {
    const answer = await axios.post(`${process.env.APP_TIER_URL}/process`, request.body, { timeout: 8000 });
    response.status(answer.status).json(answer.data);
  } catch (error) {
    response.status(error.response?.status ?? 502).json({ error: error.message });
  }
});

const [host, port] = process.env.LISTEN_ADDR.split(':');
app.listen(Number(port), host);
