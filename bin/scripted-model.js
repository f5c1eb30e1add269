#!/usr/bin/env node
import { main } from '../dist/scripted-model/main.js';

await main(process.argv.slice(2));
