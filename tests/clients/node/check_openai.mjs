// The official `openai` package for JavaScript: chat completions, Responses, embeddings.
import OpenAI from 'openai';
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { NotHere, assert, plan, question, run, said, schemas, tools } from './harness.mjs';

const Weather = z.object({ city: z.string(), degrees: z.number().int() });

const client = (place) => new OpenAI({ baseURL: place.openai, apiKey: place.key, maxRetries: 0, timeout: 20_000 });
const messages = (text) => [{ role: 'user', content: text }];
const functions = Object.keys(tools).map((name) => ({ name, description: name, parameters: schemas[name] }));

function onlyIn(place, dialect) {
  if (place.dialect !== dialect) throw new NotHere(`a check of ${dialect}`);
}

function sameUsage(usage, script = 'plain', round = 0) {
  const counts = said.counts[script][round];
  assert.equal(usage.prompt_tokens ?? usage.input_tokens, counts.input);
  assert.equal(usage.completion_tokens ?? usage.output_tokens, counts.output);
  assert.equal((usage.prompt_tokens_details ?? usage.input_tokens_details).cached_tokens, counts.cached);
}

await run({
  async plain(place) {
    if (place.dialect === 'responses') {
      const answer = await client(place).responses.create({ model: place.model, input: 'script:plain' });
      assert.equal(answer.output_text, said.plain);
      return sameUsage(answer.usage);
    }
    const answer = await client(place).chat.completions.create({ model: place.model, messages: messages('script:plain') });
    assert.equal(answer.choices[0].message.content, said.plain);
    sameUsage(answer.usage);
  },

  async stream(place) {
    const pieces = [];
    if (place.dialect === 'responses') {
      const stream = client(place).responses.stream({ model: place.model, input: 'script:plain' });
      stream.on('response.output_text.delta', (event) => pieces.push(event.delta));
      const answer = await stream.finalResponse();
      assert.equal(answer.output_text, said.plain);
      sameUsage(answer.usage);
    } else {
      const stream = client(place).chat.completions.stream({
        model: place.model,
        messages: messages('script:plain'),
        stream_options: { include_usage: true },
      });
      stream.on('content', (delta) => pieces.push(delta));
      const answer = await stream.finalChatCompletion();
      assert.equal(answer.choices[0].message.content, said.plain);
      sameUsage(answer.usage);
    }
    assert.equal(pieces.join(''), said.plain);
    assert.ok(pieces.length > 3);
  },

  async agent(place) {
    onlyIn(place, 'chat');
    const runner = client(place).chat.completions.runTools({
      model: place.model,
      messages: messages(question),
      tools: functions.map((one) => ({
        type: 'function',
        function: { ...one, parse: JSON.parse, function: tools[one.name] },
      })),
    });
    assert.equal(await runner.finalContent(), said.done);
  },

  async agent_streamed(place) {
    if (place.dialect === 'chat') {
      const runner = client(place).chat.completions.runTools({
        model: place.model,
        messages: messages(question),
        stream: true,
        tools: functions.map((one) => ({
          type: 'function',
          function: { ...one, parse: JSON.parse, function: tools[one.name] },
        })),
      });
      assert.equal(await runner.finalContent(), said.done);
      return;
    }
    const input = messages(question);
    for (let round = 0; round < 5; round += 1) {
      const answer = await client(place)
        .responses.stream({
          model: place.model,
          input,
          store: false,
          reasoning: { effort: 'low', summary: 'auto' },
          include: ['reasoning.encrypted_content'],
          tools: functions.map((one) => ({ type: 'function', strict: true, ...one })),
        })
        .finalResponse();
      const calls = answer.output.filter((item) => item.type === 'function_call');
      if (!calls.length) {
        assert.equal(answer.output_text, said.done);
        return sameUsage(answer.usage, 'weather', 2);
      }
      input.push(...answer.output);
      for (const call of calls) {
        const output = tools[call.name](JSON.parse(call.arguments));
        input.push({ type: 'function_call_output', call_id: call.call_id, output });
      }
    }
    assert.fail('no end');
  },

  async structured_output(place) {
    if (place.dialect === 'responses') {
      const answer = await client(place).responses.parse({
        model: place.model,
        input: 'script:schema',
        text: { format: zodTextFormat(Weather, 'weather') },
      });
      assert.deepEqual(answer.output_parsed, said.value);
      return;
    }
    const answer = await client(place).chat.completions.parse({
      model: place.model,
      messages: messages('script:schema'),
      response_format: zodResponseFormat(Weather, 'weather'),
    });
    assert.deepEqual(answer.choices[0].message.parsed, said.value);
  },

  async stored_answers(place) {
    onlyIn(place, 'responses');
    const responses = client(place).responses;
    const first = await responses.create({ model: place.model, input: 'script:think', reasoning: { effort: 'low', summary: 'auto' } });
    const again = await responses.retrieve(first.id);
    assert.equal(again.output_text, first.output_text);
    const second = await responses.create({
      model: place.model,
      input: 'script:again',
      previous_response_id: first.id,
      reasoning: { effort: 'low', summary: 'auto' },
    });
    assert.equal(second.output_text, 'I remember.');
    await responses.delete(first.id);
    await assert.rejects(responses.retrieve(first.id), OpenAI.NotFoundError);
  },

  async refusals_are_typed(place) {
    const stranger = new OpenAI({ baseURL: place.openai, apiKey: 'nobody', maxRetries: 0 });
    await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
    const ask = (text) =>
      place.dialect === 'responses'
        ? client(place).responses.create({ model: place.model, input: text })
        : client(place).chat.completions.create({ model: place.model, messages: messages(text) });
    await assert.rejects(ask('script:status-429'), OpenAI.RateLimitError);
  },

  async embeddings(place) {
    onlyIn(place, 'chat');
    const answer = await client(place).embeddings.create({ model: 'embedder', input: ['one', 'two'] });
    assert.equal(answer.data.length, 2);
    assert.equal(answer.data[0].embedding.length, 8);
    assert.notDeepEqual(answer.data[0].embedding, answer.data[1].embedding);
  },
});
