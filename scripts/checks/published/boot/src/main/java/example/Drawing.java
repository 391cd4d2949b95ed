package example;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Draws over HTTP: {@code /draw?prompt=a fox} answers a PNG. */
@SpringBootApplication
public class Drawing {
  public static void main(String[] args) {
    SpringApplication.run(Drawing.class, args);
  }

  /** Two ranks; Spring closes them when the application ends. */
  @Bean
  XDiTParallel pipeline(@Value("${model}") Path model) throws IOException {
    ParallelConfig ranks = ParallelConfig.builder().pipefusionDegree(2).build();
    return XDiTParallel.inProcess(EngineConfig.builder(model).parallel(ranks).build());
  }

  /** What answers. */
  @RestController
  static class Pages {
    private final XDiTParallel pipeline;

    Pages(XDiTParallel pipeline) {
      this.pipeline = pipeline;
    }

    @GetMapping(value = "/draw", produces = MediaType.IMAGE_PNG_VALUE)
    CompletableFuture<byte[]> draw(@RequestParam String prompt) {
      return pipeline.submit(InputConfig.builder(prompt).build()).result().thenApply(Pages::png);
    }

    private static byte[] png(Generation generation) {
      try (generation) {
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        generation.images().get(0).save(png, "png");
        return png.toByteArray();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** Waits on the virtual thread of the request. */
    @GetMapping(value = "/wait", produces = MediaType.IMAGE_PNG_VALUE)
    byte[] await(@RequestParam String prompt) {
      return png(pipeline.generate(InputConfig.builder(prompt).build()));
    }

    @GetMapping("/health")
    String health() {
      return Thread.currentThread().toString();
    }
  }
}
