// The official `@anthropic-ai/sdk`: messages, streams, its tool runner, token counts.
import Anthropic from '@anthropic-ai/sdk';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { z } from 'zod';
import { assert, plan, question, run, said, schemas, tools } from './harness.mjs';

const Weather = z.object({ city: z.string(), degrees: z.number().int() });

const client = (place) => new Anthropic({ baseURL: place.address, apiKey: place.key, maxRetries: 0, timeout: 20_000 });
const ask = (place, text, more = {}) => ({
  model: place.model,
  max_tokens: 8000,
  messages: [{ role: 'user', content: text }],
  ...more,
});
const thinking = { thinking: { type: 'enabled', budget_tokens: 2000 } };
const textOf = (message) => message.content.map((block) => block.text ?? '').join('');

function sameUsage(usage, script = 'plain', round = 0) {
  const counts = said.counts[script][round];
  const input = usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0);
  assert.deepEqual([input, usage.cache_read_input_tokens, usage.output_tokens], [counts.input, counts.cached, counts.output]);
}

await run({
  async plain(place) {
    const message = await client(place).messages.create(ask(place, 'script:plain'));
    assert.equal(textOf(message), said.plain);
    assert.equal(message.stop_reason, 'end_turn');
    sameUsage(message.usage);
  },

  async stream(place) {
    const pieces = [];
    const stream = client(place).messages.stream(ask(place, 'script:plain')).on('text', (text) => pieces.push(text));
    const message = await stream.finalMessage();
    assert.equal(textOf(message), said.plain);
    assert.equal(pieces.join(''), said.plain);
    assert.ok(pieces.length > 3);
    sameUsage(message.usage);
  },

  async agent_streamed_and_thinking(place) {
    const messages = [{ role: 'user', content: question }];
    for (let round = 0; round < 5; round += 1) {
      const message = await client(place)
        .messages.stream({
          ...ask(place, '', thinking),
          messages,
          tools: Object.keys(tools).map((name) => ({ name, description: name, input_schema: schemas[name] })),
        })
        .finalMessage();
      if (message.stop_reason !== 'tool_use') {
        assert.equal(textOf(message), said.done);
        return sameUsage(message.usage, 'weather', 2);
      }
      const calls = message.content.filter((block) => block.type === 'tool_use');
      const content = calls.map((call) => ({ type: 'tool_result', tool_use_id: call.id, content: tools[call.name](call.input) }));
      messages.push({ role: 'assistant', content: message.content }, { role: 'user', content });
    }
    assert.fail('no end');
  },

  async tool_runner(place) {
    const message = await client(place).beta.messages.toolRunner({
      ...ask(place, question),
      tools: Object.keys(tools).map((name) => ({
        type: 'custom',
        name,
        description: name,
        input_schema: schemas[name],
        run: tools[name],
        parse: (input) => input,
      })),
    });
    assert.equal(textOf(message), said.done);
  },

  async structured_output(place) {
    const message = await client(place).messages.parse(ask(place, 'script:schema', { output_config: { format: zodOutputFormat(Weather) } }));
    assert.deepEqual(message.parsed_output, said.value);
  },

  async a_thought_comes_back(place) {
    const first = await client(place).messages.create(ask(place, 'script:think', thinking));
    assert.equal(first.content[0].thinking, said.deep_thought);
    const messages = [
      { role: 'user', content: 'script:think' },
      { role: 'assistant', content: first.content },
      { role: 'user', content: 'script:again' },
    ];
    const second = await client(place).messages.create({ ...ask(place, '', thinking), messages });
    assert.equal(textOf(second), 'I remember.');
  },

  async tokens_are_counted(place) {
    const { max_tokens, ...request } = ask(place, 'script:plain How many?');
    const count = await client(place).messages.countTokens(request);
    assert.ok(count.input_tokens > 3, JSON.stringify(count));
  },

  async refusals_are_typed(place) {
    const stranger = new Anthropic({ baseURL: place.address, apiKey: 'nobody', maxRetries: 0 });
    await assert.rejects(stranger.messages.create(ask(place, 'script:plain')), Anthropic.AuthenticationError);
    await assert.rejects(client(place).messages.create(ask(place, 'script:status-429')), Anthropic.RateLimitError);
  },
});
