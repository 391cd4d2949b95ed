package io.xfuser.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What clients are told of single fields: which one is wrong, and with which seed a picture was
 * drawn.
 */
class FieldsTest {
  private static final String GENERATIONS = "/v1/images/generations";

  private static ImageServer server;
  private static Client client;

  @BeforeAll
  static void start() {
    server = DemoServer.of(DemoServer.ranks()).start();
    client = Client.of(server);
  }

  @AfterAll
  static void end() {
    server.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{\"seed\":1}; prompt",
        "{\"prompt\":\"a\",\"size\":\"large\"}; size",
        "{\"prompt\":\"a\",\"size\":\"90000x90000\"}; size",
        "{\"prompt\":\"a\",\"size\":\"0x64\"}; size",
        "{\"prompt\":\"a\",\"width\":3}; width",
        "{\"prompt\":\"a\",\"n\":0}; n",
        "{\"prompt\":\"a\",\"num_frames\":8}; num_frames",
        "{\"prompt\":\"a\",\"timesteps\":[9,5,1]}; timesteps",
        "{\"prompt\":\"a\",\"timesteps\":[1,5]}; timesteps",
        "{\"prompt\":\"a\",\"sigmas\":[1,0.5]}; sigmas",
        "{\"prompt\":\"a\",\"seed\":1,\"seeds\":[1]}; seeds",
        "{\"prompt\":\"a\",\"n\":2,\"seeds\":[1]}; seeds",
        "{\"prompt\":\"a\",\"strength\":0.5}; strength",
        "{\"prompt\":\"a\",\"prompt_2\":\"b\"}; prompt_2",
        "{\"prompt\":\"a\",\"negative_prompt\":[\"b\",\"c\"]}; negative_prompt",
        "{\"prompt\":\"a\",\"image\":\"iVBORw0KGgoAAAANSUhEUg==\"}; image",
        "{\"prompt\":\"a\",\"num_inference_steps\":2,\"guidance_scale\":1e308}; guidance_scale",
        "{\"prompt\":\"a\",\"num_inference_steps\":\"2\"}; num_inference_steps"
      })
  void errorOfOneFieldNamesIt(String body, String field) throws IOException, InterruptedException {
    Client.Answer answer = client.post(GENERATIONS, body);
    assertThat(answer.status()).as(answer.error()).isEqualTo(400);
    assertThat(answer.json().at("/error/param").asText()).as(answer.error()).isEqualTo(field);
    assertThat(answer.error()).doesNotContain("/demo-model").doesNotStartWith("XDiT:");
  }

  /** What the route fills in is not what the client has sent. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{\"prompt\":\"a\",\"cfg\":\"much\"}; cfg",
        "{\"prompt\":\"a\",\"height\":3,\"width\":64}; height",
        "{\"prompt\":\"a\",\"width\":3}; width",
        "{\"prompt\":\"a\",\"size\":\"9x9\",\"height\":3}; height",
        "{\"prompt\":\"a\",\"width\":90000}; width",
        "{\"prompt\":\"a\",\"n\":11}; n",
        "{\"prompt\":\"a\",\"num_images_per_prompt\":11}; num_images_per_prompt",
        "{\"prompt\":\"a\",\"timesteps\":[9,5,1],\"num_inference_steps\":2}; timesteps",
        "{\"prompt\":\"a\",\"save_disk_path\":\"x\"}; save_disk_path",
        "{\"height\":64}; prompt"
      })
  void errorOfOneFieldOfGenerateNamesIt(String body, String field)
      throws IOException, InterruptedException {
    Client.Answer answer = client.post("/generate", body);
    assertThat(answer.status()).as(answer.error()).isEqualTo(400);
    assertThat(answer.json().at("/error/param").asText()).as(answer.error()).isEqualTo(field);
  }

  @Test
  void methodsThatThereAreAreToldWithThatWhichThereIsNot()
      throws IOException, InterruptedException {
    Client.Answer get = client.get(GENERATIONS);
    assertThat(get.status()).isEqualTo(405);
    assertThat(get.headers().firstValue("allow")).contains("POST");
    Client.Answer delete = client.send(client.to("/v1/models/demo").DELETE().build());
    assertThat(delete.headers().firstValue("allow")).contains("GET");
    Client.Answer put =
        client.send(
            client
                .to("/v1/videos/one")
                .PUT(java.net.http.HttpRequest.BodyPublishers.noBody())
                .build());
    assertThat(put.headers().firstValue("allow")).contains("DELETE, GET");
  }

  @Test
  void eachPictureTellsASeedThatDrawsItAlone() throws IOException, InterruptedException {
    String body = "{\"prompt\":\"a fox\",\"num_inference_steps\":1,\"size\":\"32x32\",%s}";
    Client.Answer both = client.post(GENERATIONS, body.formatted("\"seed\":7,\"n\":2"));
    assertThat(text(both.picture(1))).contains("Seed: 8,");
    Client.Answer second = client.post(GENERATIONS, body.formatted("\"seed\":8"));
    assertThat(both.picture(1)).isEqualTo(second.picture(0));
    JsonNode drawn = client.post(GENERATIONS, body.formatted("\"n\":2")).json();
    assertThat(drawn.at("/data/0/b64_json")).isNotEqualTo(drawn.at("/data/1/b64_json"));
  }

  private static String text(byte[] png) {
    return new String(png, StandardCharsets.ISO_8859_1);
  }
}
