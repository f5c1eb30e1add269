#!/usr/bin/env node
import { main } from '../dist/scripted-model/program.js';

await main(process.argv.slice(2));
