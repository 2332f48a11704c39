// Begins a report, before main.js does the rest: the file answers what the page asks.
import { answer } from './report.js';
import { answerBy } from './server.js';

answerBy(answer);
